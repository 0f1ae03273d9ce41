package explain

// A Cause is a known reason why a request of a legitimate sender is refused. The values
// are stable: tools may rely on them.
type Cause string

// The causes, in the order in which they are tried.
const (
	// The request was changed on the way.
	CauseHost          Cause = "host"             // another host was signed
	CausePrefix        Cause = "path_prefix"      // a prefix of the path was removed or added
	CauseSlash         Cause = "path_slash"       // a slash at the end of the path was removed or added
	CausePath          Cause = "path_encoding"    // the path was decoded, encoded, cleaned, or changed to lower case
	CauseQuery         Cause = "query_encoding"   // the query was decoded or encoded differently
	CauseParameters    Cause = "query_parameters" // parameters were added or dropped
	CauseMethod        Cause = "method"           // another method was signed
	CauseHeaderMissing Cause = "header_missing"   // a signed header was removed
	CauseHeaderMerged  Cause = "header_merged"    // lines of a signed header were joined, split or reordered
	CauseHeader        Cause = "header_changed"   // the value of a signed header was changed

	// The body, or the payload hash that was signed for it, differs.
	CauseEmptyBody       Cause = "empty_body_signed" // the sender hashed an empty body
	CauseUnsignedPayload Cause = "unsigned_payload"  // the sender signed UNSIGNED-PAYLOAD, and the request does not declare it
	CauseBodyConsumed    Cause = "body_consumed"     // something in front of the verifier has read the body
	CauseBodyRewritten   Cause = "body_rewritten"    // the body was serialized or compressed again: JSON, a form
	CauseBodyIncomplete  Cause = "body_incomplete"   // the body ends early: it was cut, or the capture does not hold all of it
	CauseBody            Cause = "body_changed"      // the body was changed in an unknown way

	// The sender uses another key, or uses the key in another way.
	CauseOldSecret        Cause = "old_secret"        // the key's previous secret, which is no longer accepted
	CauseEnvironment      Cause = "other_environment" // the key of another environment
	CauseOtherKey         Cause = "other_key"         // the secret of another key of this environment
	CauseScope            Cause = "scope"             // another region or service than the key's
	CauseSessionToken     Cause = "session_token"     // the session token is missing or differs
	CauseScheme           Cause = "other_scheme"      // another scheme than the key's
	CauseCredentialHeader Cause = "credential_header" // another header holds the credential
	CauseSecretText       Cause = "secret_text"       // spaces around the secret, or an encoded secret

	// The sender's signer deviates from the specification.
	CauseSigner Cause = "signer_form"

	// The signature matches, but the request is refused for another reason.
	CauseClock     Cause = "clock"        // the clocks differ too much, or the request came late
	CauseLocalTime Cause = "local_time"   // the sender signs its local time instead of UTC
	CauseExpired   Cause = "link_expired" // a credential in the query has expired
	CauseBinding   Cause = "key_binding"  // the API is bound to another key, or to none
	CausePolicy    Cause = "policy"       // another rule of the policy; see Detail
)

// edits lists the functions that return the edits to try. An edit undoes a change that
// may have happened. Each edit has a dimension; two edits are tried together if their
// dimensions differ. The likely ones come first.
var edits = []func(*search) []edit{
	(*search).senders,
	(*search).hosts,
	(*search).prefixes,
	(*search).slashes,
	(*search).paths,
	(*search).queries,
	(*search).parameters,
	(*search).methods,
	(*search).missing,
	(*search).merged,
	(*search).headers,
	(*search).emptyBodies,
	(*search).unsigned,
	(*search).bodies,
	(*search).elsewhere,
	(*search).oldSecrets,
	(*search).otherEnvironments,
	(*search).otherKeys,
	(*search).scopes,
	(*search).otherSchemes,
	(*search).secretTexts,
	(*search).forms,
}

// An edit changes a hypothesis about how the request was signed into another one.
type edit struct {
	dimension string
	id        string // unique in its dimension; it is not shown
	findings  []Finding
	apply     func(*hypothesis)
}

// newEdit returns an edit with one finding. The Change of the finding is to, which
// describes what was signed.
func newEdit(dimension string, cause Cause, to, detail string, apply func(*hypothesis)) edit {
	return edit{dimension, to, []Finding{{Cause: cause, Detail: detail, Change: to, Proven: true}}, apply}
}
