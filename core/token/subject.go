package token

import "time"

// The attributes of a verified request, to pass to [core.Identity.Attribute]. Each has
// one value, except Roles, or none if the identity service did not give it.
const (
	// UserID is the id of the user; always there. UserName is unique only in the
	// domain with the id UserDomainID.
	UserID, UserName, UserDomainID = "user_id", "user_name", "user_domain_id"
	// ProjectID is the id of the project that the token is scoped to; not there
	// for tokens without a scope, and those of a domain or of the system.
	// ProjectName is unique in the project's domain only.
	ProjectID, ProjectName = "project_id", "project_name"
	// Roles are the names of the roles that the user has in the token's scope. Check
	// ProjectID for the scope: every user may be admin of a project of their own.
	Roles = "roles"
	// ExpiresAt is the end of the token (RFC 3339, UTC).
	ExpiresAt = "expires_at"
)

// subject is to whom a token belongs. It is not changed once it is read.
type subject struct {
	projectID  string
	expires    time.Time
	attributes map[string][]string
}
