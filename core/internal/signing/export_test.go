package signing

// What tests of the parts need.
var (
	Matches   = matches
	Increment = increment
)
