package model

import "github.com/logbook-tray/logbook-tray/core"

// levelSlots is one slot for everything below TRACE and one for each named
// level.
const levelSlots = 8

// levelSlot returns the slot of the highest named level that is not above l.
func levelSlot(l core.Level) int {
	switch {
	case l < core.LevelTrace:
		return 0
	case l >= core.LevelCritical:
		return levelSlots - 1
	}
	return int(l-core.LevelTrace) + 1
}

func slotLevel(slot int) core.Level {
	if slot == 0 {
		return core.LevelNotSet
	}
	return core.LevelTrace + core.Level(slot-1)
}

// NamedLevel returns the highest named level that is not above l: what a
// level without a name is counted and coloured as.
func NamedLevel(l core.Level) core.Level { return slotLevel(levelSlot(l)) }

// LevelCounts has a number of records for each named level.
type LevelCounts [levelSlots]int

// Of returns the number at level l, which is rounded down to a named one.
func (c LevelCounts) Of(l core.Level) int { return c[levelSlot(l)] }

// AtLeast returns the number at level l or above.
func (c LevelCounts) AtLeast(l core.Level) int {
	n := 0
	for i := levelSlot(l); i < levelSlots; i++ {
		n += c[i]
	}
	return n
}

// Total returns the number at all levels.
func (c LevelCounts) Total() int { return c.AtLeast(core.LevelNotSet) }

// LevelSet is a set of named levels. The zero set stands for all levels where it is
// used as a filter.
type LevelSet uint8

// Levels returns the set of the given levels.
func Levels(levels ...core.Level) LevelSet {
	var s LevelSet
	for _, l := range levels {
		s |= 1 << levelSlot(l)
	}
	return s
}

// Has reports whether the level, rounded down to a named one, is in the set.
func (s LevelSet) Has(l core.Level) bool { return s&(1<<levelSlot(l)) != 0 }
