package dialect

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

// Level returns the level that a name means in any library: "warn", "Information",
// "EMERGENCY", "ERROR+2" of slog.
func Level(name string) (core.Level, bool) {
	base, offset := name, 0
	if i := strings.IndexAny(name, "+-"); i > 0 {
		n, err := strconv.Atoi(name[i:])
		if err != nil {
			return core.LevelNotSet, false
		}
		base, offset = name[:i], n
	}
	l, ok := named(strings.ToLower(strings.TrimSpace(base)))
	if !ok || offset == 0 {
		return l, ok
	}
	numbers := map[core.Level]int{core.LevelDebug: -4, core.LevelInfo: 0, core.LevelWarning: 4, core.LevelError: 8}
	n, ok := numbers[l]
	return slogLevel(n + offset), ok
}

func named(name string) (core.Level, bool) {
	switch name {
	case "trace", "silly", "verbose", "finest", "finer", "all":
		return core.LevelTrace, true
	case "debug", "dbg", "fine", "http":
		return core.LevelDebug, true
	case "info", "information", "informational", "inf", "log":
		return core.LevelInfo, true
	case "notice", "success":
		return core.LevelNotice, true
	case "warning", "warn", "wrn":
		return core.LevelWarning, true
	case "error", "err", "severe":
		return core.LevelError, true
	case "critical", "crit", "fatal", "ftl", "panic", "dpanic", "alert", "emergency", "emerg":
		return core.LevelCritical, true
	case "notset", "default", "":
		return core.LevelNotSet, true
	}
	return core.LevelNotSet, false
}

func slogLevel(n int) core.Level {
	switch {
	case n < -4:
		return core.LevelTrace
	case n < 0:
		return core.LevelDebug
	case n == 0:
		return core.LevelInfo
	case n < 4:
		return core.LevelNotice
	case n < 8:
		return core.LevelWarning
	case n < 12:
		return core.LevelError
	}
	return core.LevelCritical
}

// syslogLevel reads the severities of syslog, 0 the most severe.
func syslogLevel(n float64) (core.Level, bool) {
	levels := []core.Level{
		core.LevelCritical, core.LevelCritical, core.LevelCritical, core.LevelError,
		core.LevelWarning, core.LevelNotice, core.LevelInfo, core.LevelDebug,
	}
	if n != math.Trunc(n) || n < 0 || n > 7 {
		return core.LevelNotSet, false
	}
	return levels[int(n)], true
}

// pinoLevel reads the numbers of pino and bunyan: trace 10 to fatal 60.
func pinoLevel(n float64) (core.Level, bool) {
	switch {
	case n <= 0 || n > 1000:
		return core.LevelNotSet, false
	case n < 20:
		return core.LevelTrace, true
	case n < 30:
		return core.LevelDebug, true
	case n == 30:
		return core.LevelInfo, true
	case n < 40:
		return core.LevelNotice, true
	case n < 50:
		return core.LevelWarning, true
	case n < 60:
		return core.LevelError, true
	}
	return core.LevelCritical, true
}

// anyNumber reads a number of unknown origin: pino's where they cannot be those of
// Logbook, and those of Monolog and Google Cloud in steps of hundred.
func anyNumber(n float64) (core.Level, bool) {
	if n != math.Trunc(n) {
		return core.LevelNotSet, false
	}
	switch {
	case n >= 0 && n <= 15:
		return core.NormalizeLevel(int(n)), true
	case n >= 20 && n <= 60:
		return pinoLevel(n)
	case n == 100:
		return core.LevelDebug, true
	case n == 200:
		return core.LevelInfo, true
	case n == 250:
		return core.LevelNotice, true
	case n == 300:
		return core.LevelWarning, true
	case n == 400:
		return core.LevelError, true
	case n >= 500 && n <= 800:
		return core.LevelCritical, true
	}
	return core.LevelNotSet, false
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

// readTime reads text of ISO 8601, and numbers since 1970 in seconds, or in what
// their size says: milliseconds, microseconds or nanoseconds.
func readTime(v any) (time.Time, bool) {
	if s, ok := v.(string); ok {
		if t, err := isotime.Parse(s, isotime.Decimal, nil); err == nil {
			return t, true
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return time.Time{}, false
		}
		v = n
	}
	if n, ok := v.(int64); ok {
		switch {
		case n < 0:
			return time.Time{}, false
		case n < 1e11:
			return time.Unix(n, 0).UTC(), true
		case n < 1e14:
			return time.UnixMilli(n).UTC(), true
		case n < 1e17:
			return time.UnixMicro(n).UTC(), true
		}
		return time.Unix(0, n).UTC(), true
	}
	f, ok := v.(float64)
	if !ok || f < 0 || f >= 1e18 || math.IsNaN(f) {
		return time.Time{}, false
	}
	for f >= 1e11 {
		f /= 1000
	}
	sec, frac := math.Modf(f)
	return time.Unix(int64(sec), int64(math.Round(frac*1e6))*1000).UTC(), true
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
