package differential_test

import "github.com/gatewayauth/gatewayauth/conformance/reference"

// policies are the rules of the library beyond the protocols. Every run must reach each.
var policies = []reference.Policy{
	reference.PolicyOriginForm, reference.PolicyEscape, reference.PolicyPathControl, reference.PolicySemicolon,
	reference.PolicyEmptyName, reference.PolicyTargetSize, reference.PolicyHiddenPath, reference.PolicyRepeated,
	reference.PolicyUnderscore, reference.PolicyConnection, reference.PolicyHost, reference.PolicySignedValue,
	reference.PolicyHeaderLines, reference.PolicyTwoCredentials, reference.PolicyListForm, reference.PolicyAbsent,
	reference.PolicyDateSigned, reference.PolicyRequireSigned, reference.PolicyWithBody, reference.PolicyHopByHop,
	reference.PolicyUnsigned, reference.PolicyOverride, reference.PolicyUnsignedBody, reference.PolicyStreaming,
	reference.PolicyBodyLength, reference.PolicyMaxBody, reference.PolicyPresigned, reference.PolicyParameters,
	reference.PolicySessionToken, reference.PolicyWildcard, reference.PolicyBinding,
}
