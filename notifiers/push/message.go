package push

import (
	"net/http"
	"sort"
	"strings"
	"sync"
	"unicode/utf16"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/display"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// maxSent is how many notifications a service can update at a time; later updates
// of older ones are sent as new messages.
const maxSent = 512

// sent remembers what the service calls the messages of notifications. The zero
// value is ready to use. It is safe for concurrent use.
type sent struct {
	mu    sync.Mutex
	names map[uint64]string
	order []uint64 // the oldest first
}

// name returns the service's name of a notification that was sent.
func (s *sent) name(id uint64) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, ok := s.names[id]
	return name, ok
}

// remember notes the name of a notification. One without an ID is never updated.
func (s *sent) remember(id uint64, name string) {
	if id == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[uint64]string{}
	}
	if _, ok := s.names[id]; !ok {
		s.order = append(s.order, id)
	}
	s.names[id] = name
	if len(s.order) > maxSent {
		delete(s.names, s.order[0])
		s.order = s.order[1:]
	}
}

// fit returns the longest text of a notification of which size says that it is not
// more than n. At most n characters are tried.
func fit(of *notifiers.Notification, n int, size func(text string) int) string {
	if text := of.Text(n); size(text) <= n {
		return text
	}
	tooLong := sort.Search(n, func(i int) bool { return size(of.Text(i+1)) > n })
	if tooLong == 0 {
		return ""
	}
	return of.Text(tooLong)
}

// units counts as JavaScript does, and with it several services: a character beyond
// the first 65536 is two.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

func bytesOf(s string) int { return len(s) }

// maxFollowUp is how many characters of the text a follow-up repeats.
const maxFollowUp = 120

// followUp returns what is sent for an update where the service cannot change a
// message: the count, and enough of the text to know what it is about.
func followUp(of notifiers.Notification) notifiers.Notification {
	line, _, more := strings.Cut(strings.TrimSpace(of.Body), "\n")
	if more {
		line += " …"
	}
	of.Body = display.Cut(line, maxFollowUp)
	return of
}

// together returns the notification with the title as the first line of the text, for
// services that have no titles.
func together(of notifiers.Notification) notifiers.Notification {
	if of.Body == "" {
		of.Body = of.Title
		return of
	}
	of.Body = of.Title + "\n" + of.Body
	return of
}

// fenced returns a text as a block of code in Markdown: as it is, without markup
// and without mentions of people. What would end the block is broken up with a
// character that is not seen.
func fenced(text string) string {
	return "```\n" + strings.ReplaceAll(text, "```", "`\u200b`\u200b`") + "\n```"
}

// plain escapes one line for Markdown. Mentions are broken up with a character that
// is not seen.
func plain(line string) string {
	var b strings.Builder
	for _, r := range line {
		if strings.ContainsRune("\\`*_~|[]#>", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' {
			b.WriteRune('\u200b')
		}
	}
	return b.String()
}

// colour is that of a level, as 0xRRGGBB.
func colour(l core.Level) int {
	switch {
	case l >= core.LevelCritical:
		return 0x8b0000
	case l >= core.LevelError:
		return 0xd32f2f
	case l >= core.LevelWarning:
		return 0xf9a825
	case l >= core.LevelNotice:
		return 0x1976d2
	}
	return 0x757575
}

func jsonHeader() http.Header { return http.Header{"Content-Type": {"application/json"}} }
