package wire

import "strconv"

// A RejectError says why bytes are not a record. Every error of a decoder of
// this package is one.
type RejectError struct {
	// Reason is one of the Reason constants: few and fixed, so that rejected
	// records can be counted by it.
	Reason string
	// Detail is for people: where and what. It may be empty.
	Detail string
}

// The reasons for which records are rejected.
const (
	ReasonEmpty     = "empty"           // no bytes at all
	ReasonTooLarge  = "too large"       // more bytes than [Options.MaxSize]
	ReasonTooDeep   = "too deep"        // nested deeper than [Options.MaxDepth]
	ReasonTooMany   = "too many values" // more than [MaxValues] values
	ReasonMalformed = "malformed"       // not JSON, or not the encoding it claims to be
	ReasonNotObject = "not an object"   // JSON, but no object
	ReasonUnknown   = "unknown shape"   // an object in which no record was recognized
	ReasonForbidden = "forbidden"       // asks for something that data never needs
)

// Error returns "record rejected: reason: detail".
func (e *RejectError) Error() string {
	s := "record rejected: " + e.Reason
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

func malformed(what string, at int) error {
	return &RejectError{ReasonMalformed, what + " at byte " + strconv.Itoa(at)}
}
