package desktop

import (
	"strconv"
	"strings"
)

// forMacOS makes a text safe to stand in a string of AppleScript, quoted as Go
// does it, and as an argument of terminal-notifier, which takes a first "-" for an
// option and cannot begin with "[".
func forMacOS(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || strconv.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "[") {
		s = " " + s
	}
	return s
}
