package token

import "time"

// The attributes of a verified request: [core.Identity.Attribute] returns what
// the identity service said under these names, each one value but Roles, and
// nothing for what it did not say.
const (
	// UserID is the id of the user; always there. UserName is unique only in the
	// domain with the id UserDomainID.
	UserID, UserName, UserDomainID = "user_id", "user_name", "user_domain_id"
	// ProjectID is the id of the project that the token is scoped to; not there
	// for tokens without a scope, and those of a domain or of the system.
	// ProjectName is unique in the project's domain only.
	ProjectID, ProjectName = "project_id", "project_name"
	// Roles are the names of the roles that the user has in the token's scope.
	// What that scope is, ProjectID tells: everyone may be admin of a project of
	// their own.
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
