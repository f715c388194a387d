package logview

import (
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// ColumnID names a column.
type ColumnID string

// The columns. The message takes what the others leave.
const (
	ColumnTime    ColumnID = "time"
	ColumnLevel   ColumnID = "level"
	ColumnChannel ColumnID = "channel"
	ColumnProcess ColumnID = "process"
	ColumnThread  ColumnID = "thread"
	ColumnSource  ColumnID = "source"
	ColumnMessage ColumnID = "message"
)

// Column is a column of a [View].
type Column struct {
	ID     ColumnID
	Cells  int // width in characters; that of the message is not used
	Hidden bool
}

// The width of a column in cells.
const (
	minColumn = 4
	maxColumn = 80
)

// DefaultColumns returns the columns that a view has at first.
func DefaultColumns() []Column {
	return []Column{
		{ID: ColumnTime, Cells: 12},
		{ID: ColumnLevel, Cells: 8},
		{ID: ColumnProcess, Cells: 18, Hidden: true},
		{ID: ColumnThread, Cells: 16, Hidden: true},
		{ID: ColumnSource, Cells: 20, Hidden: true},
		{ID: ColumnChannel, Cells: 16},
		{ID: ColumnMessage},
	}
}

// Columns returns the columns as they are, to be stored.
func (v *View) Columns() []Column { return append([]Column(nil), v.columns...) }

// SetColumns replaces the columns. Widths out of range are corrected.
func (v *View) SetColumns(columns []Column) {
	v.columns = append([]Column(nil), columns...)
	for i := range v.columns {
		v.columns[i].Cells = max(min(v.columns[i].Cells, maxColumn), minColumn)
	}
	v.repaint()
}

// ShowColumn shows or hides a column.
func (v *View) ShowColumn(id ColumnID, show bool) {
	for i := range v.columns {
		if v.columns[i].ID == id {
			v.columns[i].Hidden = !show
		}
	}
	v.repaint()
}

// cellText is what a narrow column shows of a record.
func (v *View) cellText(id ColumnID, r *core.Record) string {
	switch id {
	case ColumnTime:
		return v.timeText(r)
	case ColumnLevel:
		return r.Level.String()
	case ColumnChannel:
		return oneLine(r.Channel)
	case ColumnProcess:
		return oneLine(model.ProcessText(r.Process))
	case ColumnThread:
		return oneLine(r.Thread.Name)
	case ColumnSource:
		return oneLine(r.Source.Name)
	}
	return ""
}

// timeText is the time of day, or the day if it is not today: the detail tells
// the rest.
func (v *View) timeText(r *core.Record) string {
	if r.Time.IsZero() {
		return ""
	}
	at, now := r.Time.Local(), v.options.Now().Local()
	layout := "15:04:05.000"
	if at.YearDay() != now.YearDay() || at.Year() != now.Year() {
		layout = "Jan _2 15:04"
	}
	v.timeBuffer = at.AppendFormat(v.timeBuffer[:0], layout)
	return string(v.timeBuffer)
}

// maxLine bounds how much of a line is looked at, in bytes.
const maxLine = 16 << 10

// oneLine makes a text fit for one row.
func oneLine(s string) string {
	if len(s) > maxLine {
		s = s[:maxLine]
	}
	s = model.Printable(s)
	if strings.ContainsAny(s, "\t\n") {
		s = strings.NewReplacer("\t", "    ", "\n", " ").Replace(s)
	}
	return s
}

func joinRecords(records []*core.Record, format func(*core.Record) string) string {
	var b strings.Builder
	for i, r := range records {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(format(r))
	}
	return b.String()
}
