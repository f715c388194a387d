package core

import "fmt"

// Kw makes a named argument of the message.
func Kw(name string, value any) Field { return Field{name, value} }

// Extra makes extra data from alternating keys and values. A key that is not
// a string is converted to one; a value that is missing at the end is "".
func Extra(keysAndValues ...any) Fields {
	f := make(Fields, 0, (len(keysAndValues)+1)/2)
	for i := 0; i < len(keysAndValues); i += 2 {
		key, ok := keysAndValues[i].(string)
		if !ok {
			key = fmt.Sprint(keysAndValues[i])
		}
		var value any = ""
		if i+1 < len(keysAndValues) {
			value = keysAndValues[i+1]
		}
		f.Set(key, value)
	}
	return f
}

// Attached is an error that a log call attaches to its record; see [Exc].
type Attached struct{ err error }

// Exc attaches an error to the record, Logbook's exc_info. A nil error
// attaches nothing.
func Exc(err error) Attached { return Attached{err} }
