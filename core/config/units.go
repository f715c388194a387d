package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads "60s", "1h30m", "7d", "2w": what [time.ParseDuration]
// reads, and days and weeks. It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "0" {
		return 0, nil
	}
	var total time.Duration
	for rest := s; ; {
		number, unit, tail := splitQuantity(rest)
		if number == "" || unit == "" {
			return 0, fmt.Errorf("%q is not a duration such as 500ms, 60s, 5m, 1h or 7d", clip(s))
		}
		var factor time.Duration
		switch unit {
		case "d":
			factor = 24 * time.Hour
		case "w":
			factor = 7 * 24 * time.Hour
		default:
			one, err := time.ParseDuration("1" + unit)
			if err != nil {
				return 0, fmt.Errorf("%q is not a duration such as 500ms, 60s, 5m, 1h or 7d", clip(s))
			}
			factor = one
		}
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || v*float64(factor) > math.MaxInt64/4 {
			return 0, fmt.Errorf("%q is not a duration that makes sense", clip(s))
		}
		total += time.Duration(v * float64(factor))
		if total > math.MaxInt64/2 {
			return 0, fmt.Errorf("%q is not a duration that makes sense", clip(s))
		}
		if rest = tail; rest == "" {
			return total, nil
		}
	}
}

// splitQuantity splits "1.5h30m" into "1.5", "h" and "30m".
func splitQuantity(s string) (number, unit, rest string) {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	j := i
	for j < len(s) && (s[j] < '0' || s[j] > '9') && s[j] != '.' {
		j++
	}
	return s[:i], strings.TrimSpace(s[i:j]), s[j:]
}

// Size is a number of bytes; in the file it is a number or "64KiB", "1MiB",
// "2GB". It is never negative.
type Size int64

// ParseSize reads a [Size]. KiB, MiB, GiB and TiB count by 1024, kB, MB, GB and
// TB by 1000; the case does not matter.
func ParseSize(s string) (Size, error) {
	number, unit, rest := splitQuantity(strings.TrimSpace(s))
	factor, ok := sizeUnit(unit)
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok || rest != "" {
		return 0, fmt.Errorf("%q is not a size such as 4096, 64KiB, 1MiB or 2GB", clip(s))
	}
	if v*factor > math.MaxInt64/2 {
		return 0, errors.New("the size is too large")
	}
	return Size(v * factor), nil
}

func sizeUnit(unit string) (factor float64, ok bool) {
	switch strings.ToLower(unit) {
	case "", "b":
		return 1, true
	case "k", "kib":
		return 1 << 10, true
	case "m", "mib":
		return 1 << 20, true
	case "g", "gib":
		return 1 << 30, true
	case "t", "tib":
		return 1 << 40, true
	case "kb":
		return 1e3, true
	case "mb":
		return 1e6, true
	case "gb":
		return 1e9, true
	case "tb":
		return 1e12, true
	}
	return 0, false
}

// UnmarshalText is [ParseSize].
func (s *Size) UnmarshalText(text []byte) error {
	v, err := ParseSize(string(text))
	if err != nil {
		return err
	}
	*s = v
	return nil
}

// String returns the size in the largest unit that loses nothing: "1MiB".
func (s Size) String() string {
	for _, u := range []struct {
		size Size
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// MarshalText is [Size.String].
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
