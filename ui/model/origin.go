package model

import (
	"strconv"
	"strings"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
)

// Origin says who sent a record: which process, and by which subscriber it
// came in.
type Origin struct {
	Source  string // name of the subscriber; "" for this process
	Process core.Process
}

// OriginOf returns the origin of r. Two connections of one process are one
// origin.
func OriginOf(r *core.Record) Origin { return Origin{Source: r.Source.Name, Process: r.Process} }

// IsZero reports whether nothing is known.
func (o Origin) IsZero() bool { return o == Origin{} }

// String returns the process and where it came in: "MainProcess 4711 · dev".
func (o Origin) String() string {
	var parts []string
	if p := ProcessText(o.Process); p != "" {
		parts = append(parts, p)
	}
	switch {
	case o.Source != "":
		parts = append(parts, Printable(o.Source))
	case len(parts) == 0:
		parts = append(parts, "this program")
	}
	return strings.Join(parts, " · ")
}

// ProcessText returns name and id of a process as far as they are known.
func ProcessText(p core.Process) string {
	var parts []string
	if p.Name != "" {
		parts = append(parts, Printable(p.Name))
	}
	if p.ID != 0 {
		parts = append(parts, strconv.Itoa(p.ID))
	}
	return strings.Join(parts, " ")
}

// OriginCount is an entry of [Store.Origins].
type OriginCount struct {
	Origin Origin
	Count  int       // records held
	Last   time.Time // when the newest one came in
}
