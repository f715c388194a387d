package libnotify

import "slices"

// shownMax is how many notifications on the screen are remembered. Some services
// never say that one is gone.
const shownMax = 256

// shown tells which notifications are on the screen: the program's IDs and the
// service's numbers.
type shown struct {
	entries []onScreen // oldest first
	// past are those that are gone, oldest first. They may still be clicked on: GNOME's
	// notification-daemon leaves on the screen what it was told to close.
	past []onScreen
	// early holds what the service said about numbers that are not known while
	// a call is under way: they may be those that its answer is going to bring.
	calls int
	early []event
}

type onScreen struct {
	id     uint64
	number uint32
	token  string // arrived ahead of an action
}

// event is something that the user did with a notification.
type event struct {
	number uint32
	action string // "" if it was closed
	token  string // for an action to come
	reason uint32 // why it was closed
}

func (s *shown) number(id uint64) uint32 {
	if i := slices.IndexFunc(s.entries, func(e onScreen) bool { return e.id == id }); i >= 0 {
		return s.entries[i].number
	}
	return 0
}

func (s *shown) find(number uint32) *onScreen { return find(s.entries, number) }

// findPast is find for those that are gone.
func (s *shown) findPast(number uint32) *onScreen { return find(s.past, number) }

func find(entries []onScreen, number uint32) *onScreen {
	for i := range entries {
		if entries[i].number == number {
			return &entries[i]
		}
	}
	return nil
}

// add notes that id is on the screen as number, as the newest.
func (s *shown) add(id uint64, number uint32) {
	if before := s.number(id); before != 0 {
		s.remove(before)
	}
	s.remove(number)
	s.past = slices.DeleteFunc(s.past, func(e onScreen) bool { return e.number == number })
	if len(s.entries) >= shownMax {
		s.remove(s.entries[0].number)
	}
	s.entries = append(s.entries, onScreen{id: id, number: number})
}

func (s *shown) remove(number uint32) {
	i := slices.IndexFunc(s.entries, func(e onScreen) bool { return e.number == number })
	if i < 0 {
		return
	}
	if len(s.past) >= shownMax {
		s.past = slices.Delete(s.past, 0, 1)
	}
	s.past = append(s.past, s.entries[i])
	s.entries = slices.Delete(s.entries, i, i+1)
}

// clear forgets all: the numbers mean something else from here on.
func (s *shown) clear() { s.entries, s.past, s.early = nil, nil, nil }

// numbers returns the entries as a map.
func (s *shown) numbers() map[uint64]uint32 {
	m := make(map[uint64]uint32, len(s.entries))
	for _, e := range s.entries {
		m[e.id] = e.number
	}
	return m
}

// begin and end enclose a call that brings a number. end returns what the service
// has said of it meanwhile.
func (s *shown) begin() { s.calls++ }

func (s *shown) end(number uint32) (of []event) {
	s.calls--
	for _, e := range s.early {
		if e.number == number && number != 0 {
			of = append(of, e)
		}
	}
	if s.calls == 0 {
		s.early = nil
	}
	return of
}

// earlyMax bounds what is remembered of other programs' notifications.
const earlyMax = 64

// unknown keeps an event of an unknown number if it may be ours.
func (s *shown) unknown(e event) {
	if s.calls > 0 && len(s.early) < earlyMax {
		s.early = append(s.early, e)
	}
}
