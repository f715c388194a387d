package twitter

import (
	"strings"
	"unicode"

	"github.com/logbook-tray/logbook-tray/core/display"
)

const (
	// MaxWeight is how much text a post may hold, see [Weight].
	MaxWeight = 280

	// addressWeight is what an address counts, however long it is.
	addressWeight = 23
	ellipsis      = "…"
)

// Weight returns how much of a post a text takes up, by the rules of the service,
// simplified to the safe side. A Latin, Greek, Cyrillic, Hebrew, Arabic... letter counts
// one, every other character two: also each of those that make up one emoji, of which
// the service counts the whole as two. A word that could be taken for an address, since
// a dot is within it, counts 23 at least.
func Weight(s string) int {
	sum := 0
	for _, piece := range pieces(s) {
		sum += pieceWeight(piece)
	}
	return sum
}

func pieceWeight(piece string) int {
	sum := 0
	for _, r := range piece {
		sum += runeWeight(r)
	}
	if isAddress(piece) {
		return max(sum, addressWeight*strings.Count(piece, "."))
	}
	return sum
}

// runeWeight has the ranges of version 3 of the service's configuration.
func runeWeight(r rune) int {
	if r <= 0x10ff || r >= 0x2000 && r <= 0x200d || r >= 0x2010 && r <= 0x201f || r >= 0x2032 && r <= 0x2037 {
		return 1
	}
	return 2
}

// isAddress reports whether a dot stands between two letters or digits, the second a
// letter: "cart.py", "https://example.com/".
func isAddress(piece string) bool {
	before, dot := rune(0), false
	for _, r := range piece {
		if dot && unicode.IsLetter(r) {
			return true
		}
		dot = r == '.' && (unicode.IsLetter(before) || unicode.IsDigit(before))
		before = r
	}
	return false
}

// Cut returns s with a weight of at most n: cut between words as Logbook's
// TwitterFormatter does, with an ellipsis. A word that is too long by itself is cut too.
//
// Logbook: nothing but the ellipsis is left if the first word is too long, and there is
// no ellipsis if the words before it fill the text exactly.
func Cut(s string, n int) string {
	if Weight(s) <= n {
		return s
	}
	room := n - Weight(ellipsis)
	if room < 0 {
		return ""
	}
	var b strings.Builder
	left := room
	for _, piece := range pieces(s) {
		w := pieceWeight(piece)
		if w > left {
			break
		}
		b.WriteString(piece)
		left -= w
	}
	if strings.TrimSpace(b.String()) == "" {
		return cutWord(s, room)
	}
	return b.String() + ellipsis
}

// cutWord cuts the first word of s, which is too long.
func cutWord(s string, room int) string {
	word := strings.TrimSpace(s)
	for n := room + 1; n > 0; n-- { // Cut of display counts characters, and its ellipsis
		if cut := display.Cut(word, n); pieceWeight(strings.TrimSuffix(cut, ellipsis)) <= room {
			return cut
		}
	}
	return ellipsis
}

// pieces splits a text into words and what is between them.
func pieces(s string) []string {
	var all []string
	start, space := 0, false
	for i, r := range s {
		now := unicode.IsSpace(r)
		if now != space && i > 0 {
			all, start = append(all, s[start:i]), i
		}
		space = now
	}
	if start < len(s) {
		all = append(all, s[start:])
	}
	return all
}

// harmless breaks up what would become a mention, a topic or a cashtag, with a
// character that is not seen: who is named in a record is not to be told of it.
func harmless(s string) string {
	return strings.NewReplacer("@", "@\u200b", "＠", "＠\u200b", "#", "#\u200b", "＃", "＃\u200b", "$", "$\u200b").Replace(s)
}
