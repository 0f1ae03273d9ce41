package signing

// Matches is for tests.
var Matches = matches
