package isotime_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/logbook-tray/logbook-tray/core/internal/isotime"
)

func TestParse(t *testing.T) {
	east := time.FixedZone("", 2*3600)
	for _, c := range []struct {
		in       string
		fraction isotime.Fraction
		zone     *time.Location
		want     string // RFC 3339; "" if it is refused
	}{
		{"2026-11-20T21:21:05.636109Z", isotime.Logbook, nil, "2026-11-20T21:21:05.636109Z"},
		{"2026-11-20T21:21:05Z", isotime.Logbook, nil, "2026-11-20T21:21:05Z"},
		{"2026-11-20T21:21:05.5Z", isotime.Logbook, nil, "2026-11-20T21:21:05.000005Z"},
		{"2026-11-20T21:21:05.42Z", isotime.Logbook, nil, "2026-11-20T21:21:05.000042Z"},
		{"2026-11-20T21:21:05.2000Z", isotime.Logbook, nil, "2026-11-20T21:21:05.002Z"},
		{"2026-11-20T21:21:05.99999Z", isotime.Logbook, nil, "2026-11-20T21:21:05.099999Z"},
		{"2026-11-20T21:21:05.5Z", isotime.Decimal, nil, "2026-11-20T21:21:05.5Z"},
		{"2026-11-20T21:21:05.5", isotime.Logbook, nil, "2026-11-20T21:21:05.5Z"},
		{"2026-11-20T21:21:05.5+00:00", isotime.Logbook, nil, "2026-11-20T21:21:05.5Z"},
		{"2026-11-20T21:21:05.123456789Z", isotime.Logbook, nil, "2026-11-20T21:21:05.123456789Z"},
		{"2026-11-20T21:21:05.123456789987Z", isotime.Logbook, nil, "2026-11-20T21:21:05.123456789Z"},
		{"2026-11-20T21:21:05,5+0530", isotime.Decimal, nil, "2026-11-20T15:51:05.5Z"},
		{"2026-11-20T21:21:05-08", isotime.Decimal, nil, "2026-11-21T05:21:05Z"},
		{"2026-11-20 21:21z", isotime.Decimal, nil, "2026-11-20T21:21:00Z"},
		{"20261120T212105Z", isotime.Decimal, nil, "2026-11-20T21:21:05Z"},
		{"2026-11-20", isotime.Decimal, nil, "2026-11-20T00:00:00Z"},
		{"2026-11-20T21:21:05Z", isotime.Logbook, east, "2026-11-20T19:21:05Z"},
		{"2026-11-20T21:21:05", isotime.Logbook, east, "2026-11-20T19:21:05Z"},
		{"2026-11-20T21:21:05+00:00", isotime.Logbook, east, "2026-11-20T21:21:05Z"},
		{"2024-02-29T00:00:00Z", isotime.Logbook, nil, "2024-02-29T00:00:00Z"},
		{in: "2026-02-29T00:00:00Z"},
		{in: "2026-13-01T00:00:00Z"},
		{in: "2026-04-31T00:00:00Z"},
		{in: "2026-00-01T00:00:00Z"},
		{in: "2026-01-01T24:00:00Z"},
		{in: "2026-01-01T00:00:00+25:00"},
		{in: "2026-01-01T00:00:00."},
		{in: "2026-01-01T00:00:00Zx"},
		{in: "2026-01-0xT00:00:00Z"},
		{in: "2026-0101T00:00:00Z"},
		{in: "2026-01-01X00:00:00Z"},
		{in: "yesterday"},
		{in: "20"},
		{in: ""},
	} {
		got, err := isotime.Parse(c.in, c.fraction, c.zone)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%q is read as %v", c.in, got)
		case c.want != "" && (err != nil || got.Format(time.RFC3339Nano) != c.want):
			t.Errorf("%q is read as %v (%v), want %s", c.in, got.Format(time.RFC3339Nano), err, c.want)
		}
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMicro(rapid.Int64Range(-62135596800e6, 253402300799e6).Draw(t, "time")).UTC()
		for _, f := range []isotime.Fraction{isotime.Logbook, isotime.Decimal} {
			if got, err := isotime.Parse(string(isotime.Append(nil, want)), f, nil); err != nil || got != want {
				t.Fatalf("%v is read back as %v, %v", want, got, err)
			}
		}
	})
}

func TestTimesThatNobodyCanReadAreMoved(t *testing.T) {
	for year, want := range map[int]string{-5: "0001-01-01T00:00:00.000000Z", 10001: "9999-12-31T23:59:59.999999Z"} {
		if got := string(isotime.Append(nil, time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC))); got != want {
			t.Errorf("year %d: %s, want %s", year, got, want)
		}
	}
}
