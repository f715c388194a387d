// Package pickle reads the data in Python pickles of protocol 0 to 5. It is not an
// unpickler: nothing is imported, looked up or called. A class, a function and the
// result of calling one are placeholders, apart from a list of standard types
// whose constructors are plain data, such as datetime and Decimal.
package pickle

// Error says why bytes could not be read as a pickle.
type Error struct {
	// Reason is one of the Reason constants.
	Reason string
	// Detail is for people.
	Detail string
}

// Reasons for which a pickle is refused.
const (
	ReasonMalformed = "malformed"       // cut off, or no pickle at all
	ReasonTooDeep   = "too deep"        // more open marks than any data needs
	ReasonTooMany   = "too many values" // more than [MaxValues] instructions that make a value
	ReasonTooLarge  = "too large"       // an integer of more than 10 000 digits
	ReasonForbidden = "forbidden"       // refers to objects outside of the pickle
	ReasonUnknown   = "unknown shape"   // not a record
)

// Error returns "pickle: reason: detail".
func (e *Error) Error() string { return "pickle: " + e.Reason + ": " + e.Detail }

// The limits.
const (
	// MaxValues bounds the values that a pickle makes, and those that it is worth
	// when everything that it refers to more than once is written out.
	MaxValues = 1 << 18
	// MaxText bounds the bytes of text that a pickle is worth when written
	// out.
	MaxText = 16 << 20
	// MaxDepth is how deep lists and dictionaries are followed; what lies deeper is
	// "...".
	MaxDepth = 64

	maxMarks  = 1000
	maxDigits = 10_000
)
