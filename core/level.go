package core

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Level is the severity of a [Record]. The numbers are those of Logbook since
// version 0.11; Logbook 0.4 to 0.10 numbered DEBUG to CRITICAL from 1 to 6. The two
// ranges do not overlap, so [NormalizeLevel] can accept both.
//
// Logbook has no custom levels. A number that has no name can still arrive
// from elsewhere; it keeps its value and compares by it.
type Level int

// The levels of Logbook, lowest first.
const (
	LevelNotSet   Level = 0  // no level: a binding or logger that takes everything
	LevelTrace    Level = 9  // finer than debug
	LevelDebug    Level = 10 // of interest to somebody chasing a bug
	LevelInfo     Level = 11 // normal operation
	LevelNotice   Level = 12 // normal, but worth a look
	LevelWarning  Level = 13 // something unexpected that was coped with
	LevelError    Level = 14 // something failed
	LevelCritical Level = 15 // the program cannot go on, or should not
)

// Levels lists the named levels, lowest first, without [LevelNotSet].
func Levels() []Level {
	return []Level{LevelTrace, LevelDebug, LevelInfo, LevelNotice, LevelWarning, LevelError, LevelCritical}
}

// ErrUnknownLevel is in the chain of every error about a level that Logbook
// does not know.
var ErrUnknownLevel = errors.New("unknown level")

// Name returns Logbook's name of the level, such as "WARNING", and whether it
// has one.
func (l Level) Name() (name string, ok bool) {
	switch l {
	case LevelNotSet:
		return "NOTSET", true
	case LevelTrace:
		return "TRACE", true
	case LevelDebug:
		return "DEBUG", true
	case LevelInfo:
		return "INFO", true
	case LevelNotice:
		return "NOTICE", true
	case LevelWarning:
		return "WARNING", true
	case LevelError:
		return "ERROR", true
	case LevelCritical:
		return "CRITICAL", true
	}
	return "", false
}

// LevelName is [Level.Name] with an error that wraps [ErrUnknownLevel] for a
// number without a name, as Logbook's get_level_name has it.
func LevelName(l Level) (string, error) {
	if name, ok := l.Name(); ok {
		return name, nil
	}
	return "", fmt.Errorf("%w: %d", ErrUnknownLevel, int(l))
}

// String returns the level's name, or "LEVEL 37" for a number without one.
func (l Level) String() string {
	if name, ok := l.Name(); ok {
		return name
	}
	return "LEVEL " + strconv.Itoa(int(l))
}

// Title returns the name as it stands in running text and in the titles of
// notifications: "Error".
func (l Level) Title() string {
	s := l.String()
	return s[:1] + strings.ToLower(s[1:])
}

// ParseLevel returns the level with the given name, in any case. WARN stands
// for WARNING and FATAL for CRITICAL, as many programs write them. A decimal
// number is taken as it is and normalized by [NormalizeLevel].
// Errors wrap [ErrUnknownLevel].
func ParseLevel(s string) (Level, error) {
	switch strings.ToUpper(strings.TrimSpace(s)) {
	case "NOTSET":
		return LevelNotSet, nil
	case "TRACE":
		return LevelTrace, nil
	case "DEBUG":
		return LevelDebug, nil
	case "INFO":
		return LevelInfo, nil
	case "NOTICE":
		return LevelNotice, nil
	case "WARNING", "WARN":
		return LevelWarning, nil
	case "ERROR":
		return LevelError, nil
	case "CRITICAL", "FATAL":
		return LevelCritical, nil
	}
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return NormalizeLevel(n), nil
	}
	return LevelNotSet, fmt.Errorf("%w %q (one of notset, trace, debug, info, notice, warning, error, critical)", ErrUnknownLevel, s)
}

// NormalizeLevel turns a level number of any version of Logbook into a Level:
// 1 to 6 are the numbers of Logbook before 0.11; every other number stays.
func NormalizeLevel(n int) Level {
	if n >= 1 && n <= 6 {
		return Level(n) + (LevelDebug - 1)
	}
	return Level(n)
}

// Old returns the level's number in Logbook before 0.11, which knew no TRACE:
// that becomes DEBUG. Numbers without a name stay as they are.
func (l Level) Old() int {
	switch {
	case l == LevelTrace:
		return 1
	case l >= LevelDebug && l <= LevelCritical:
		return int(l-LevelDebug) + 1
	}
	return int(l)
}

// MarshalText returns the level's name in lower case, the form of the
// configuration file.
func (l Level) MarshalText() ([]byte, error) {
	return []byte(strings.ToLower(l.String())), nil
}

// UnmarshalText is [ParseLevel].
func (l *Level) UnmarshalText(text []byte) error {
	parsed, err := ParseLevel(string(text))
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}
