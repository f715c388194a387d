package mqtt

import (
	"strconv"
	"strings"
)

// maxSenders is how many senders are told apart.
const maxSenders = 256

// senders knows the last number that came from each sender of ours.
type senders struct {
	last  map[string]uint64
	order []string // of the first message
}

func newSenders() *senders { return &senders{last: make(map[string]uint64)} }

// isNew reports whether nothing with a number, or one above it, has come from its sender. What
// is no number is always new.
func (s *senders) isNew(property string) bool {
	i := strings.LastIndexByte(property, '-')
	if i < 0 || i > 64 {
		return true
	}
	number, err := strconv.ParseUint(property[i+1:], 10, 64)
	if err != nil {
		return true
	}
	id := property[:i]
	last, known := s.last[id]
	if known && number <= last {
		return false
	}
	if !known {
		if len(s.order) == maxSenders {
			delete(s.last, s.order[0])
			s.order = s.order[1:]
		}
		s.order = append(s.order, id)
	}
	s.last[id] = number
	return true
}
