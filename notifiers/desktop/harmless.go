package desktop

import (
	"strconv"
	"strings"
)

// forWindows makes a text safe to stand in a CDATA section of XML that may in turn
// stand in a here-string of PowerShell with double quotes, which is how it gets to
// Windows where the direct way fails. There, "$" and "`" would be evaluated, a quote
// and "@" at the start of a line would end the string, and "]]>" the section.
// PowerShell takes typographic quotes for quotes.
func forWindows(s string) string {
	s = strings.NewReplacer("$", "＄", "`", "ˋ", "]]>", "]] >").Replace(s)
	for _, quote := range []string{`"`, "“", "”", "„", "'", "‘", "’", "‚", "‛"} {
		s = strings.ReplaceAll(s, quote+"@", quote+" @")
	}
	return s
}

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
