package logview

import (
	"image"
	"image/color"
	"strings"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/glyph"
	"github.com/logbook-tray/logbook-tray/ui/model"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

// paint draws the view; Fyne calls it with the size in pixels. The image is
// used again for the next frame: Fyne has copied it by then.
func (v *View) paint(width, height int) image.Image {
	if width <= 0 || height <= 0 {
		return image.NewRGBA(image.Rectangle{})
	}
	if size := v.Size(); size.Width > 0 {
		if scale := float32(width) / size.Width; v.scale == 0 || abs(scale-v.scale) > 0.5/size.Width {
			v.scale = scale // another screen
		}
	}
	if v.image == nil || v.image.Rect.Dx() != width || v.image.Rect.Dy() != height {
		v.image = image.NewRGBA(image.Rect(0, 0, width, height))
	}
	g := v.measure(width, height)
	if v.following {
		v.top = v.lastTop()
	}
	glyph.Fill(v.image, v.image.Rect, v.palette.Ground)
	v.widest = 0
	n := v.rows.Len()
	for i := 0; i < g.shown && v.top+i < n; i++ {
		v.paintRow(g, v.top+i, g.header+i*g.row)
	}
	glyph.Fill(v.image, image.Rect(0, g.bottom, width, height), v.palette.Ground)
	if n == 0 {
		v.paintEmpty(g)
	}
	v.paintHeader(g)
	v.paintBars(g)
	v.paintHint(g)
	if v.focused {
		glyph.Frame(v.image, v.image.Rect, max(v.px(1), 1), v.palette.Accent)
	}
	return v.image
}

func abs(f float32) float32 { return max(f, -f) }

// rowGround returns what is behind a row.
func (v *View) rowGround(row int, key uint64, level style.LevelColors) color.RGBA {
	switch {
	case v.selection.Has(key):
		return v.palette.Selected
	case v.marked && key == v.mark:
		return v.palette.Marked
	case row == v.hoverRow:
		return v.palette.Hover
	}
	return level.Ground
}

func (v *View) paintRow(g geometry, row, y int) {
	key, r := v.rows.At(row)
	level := v.palette.Level(r.Level)
	area := image.Rect(0, y, g.width, y+g.row)
	ground := v.rowGround(row, key, level)
	if ground != v.palette.Ground {
		glyph.Fill(v.image, area, ground)
	}
	if r.Level >= core.LevelWarning {
		glyph.Fill(v.image, image.Rect(0, y, v.px(3), y+g.row), level.Fill)
	}
	if v.marked && key == v.mark {
		glyph.Fill(v.image, image.Rect(0, y, v.px(5), y+g.row), v.palette.Accent)
	}
	for _, c := range g.columns {
		pen := v.palette.Muted
		switch c.ID {
		case ColumnLevel:
			pen = level.Name
			if level.Badged {
				w := min(len(r.Level.String()), c.Cells)*g.cell + v.px(3)
				glyph.Rounded(v.image, image.Rect(c.x0-v.px(3), y+v.px(1), c.x0+w, y+g.row-v.px(1)), v.px(3), level.Badge)
			}
		case ColumnChannel:
			pen = v.palette.Text
		}
		v.paintCell(g, c, y, v.cellText(c.ID, r), pen)
	}
	v.paintMessage(g, r, y, level, ground)
	if cursor, ok := v.selection.Cursor(); ok && cursor == key && v.focused {
		glyph.Frame(v.image, area, max(v.px(1), 1), v.palette.Accent)
	}
}

// paintCell draws the text of a narrow column, with an ellipsis if it is too
// long.
func (v *View) paintCell(g geometry, c placed, y int, text string, pen color.RGBA) {
	clip := image.Rect(c.x0, y, c.x1, y+g.row).Intersect(image.Rect(0, g.header, g.track.Min.X, g.height))
	cut := glyph.Cells(text, c.Cells+1) > c.Cells
	if cut {
		clip.Max.X -= g.cell
	}
	v.glyphs.Text(v.image, clip, c.x0, y+g.baseline, text, pen)
	if cut {
		clip.Max.X += g.cell
		v.glyphs.Text(v.image, clip, c.x1-g.cell, y+g.baseline, "…", v.palette.Muted)
	}
}

// paintMessage draws the part of a message that is in sight, and behind it what
// more there is: further lines, a traceback.
func (v *View) paintMessage(g geometry, r *core.Record, y int, level style.LevelColors, ground color.RGBA) {
	summary := model.Summarize(r)
	text := oneLine(summary.Line)
	cells := glyph.Cells(text, maxLine)
	v.widest = max(v.widest, cells)
	v.spans = v.spans[:0]
	if v.matcher.HasText() {
		v.spans = v.matcher.Spans(v.spans, text)
	}
	area := image.Rect(g.message.Min.X, y, g.message.Max.X, y+g.row)
	v.paintText(g, area, text, level.Text)
	marker := markerText(summary)
	if marker == "" {
		return
	}
	x := area.Min.X + max(cells-v.indent+1, 0)*g.cell
	if x+glyph.Cells(marker, 100)*g.cell > area.Max.X { // no room behind the text: over its end
		marker = "… " + marker
		x = max(area.Max.X-glyph.Cells(marker, 100)*g.cell, area.Min.X)
		glyph.Fill(v.image, image.Rect(x, y, area.Max.X, y+g.row), ground)
	}
	v.glyphs.Text(v.image, area, x, y+g.baseline, marker, v.palette.Muted)
}

// markerText says what of a record does not fit into a row.
func markerText(s model.Summary) string {
	var parts []string
	switch {
	case s.More == 1:
		parts = append(parts, "+1 line")
	case s.More > 1:
		parts = append(parts, "+"+model.Number(s.More)+" lines")
	}
	if s.Trace {
		parts = append(parts, "traceback")
	}
	if len(parts) == 0 {
		return ""
	}
	return "↵ " + strings.Join(parts, ", ")
}

// paintText draws text from cell v.indent on, with the spans marked.
func (v *View) paintText(g geometry, area image.Rectangle, text string, pen color.RGBA) {
	at, offset := -v.indent, 0
	for offset < len(text) {
		x := area.Min.X + at*g.cell
		if x >= area.Max.X {
			return
		}
		n, cells := glyph.Next(text[offset:])
		if at >= 0 {
			cluster, color := text[offset:offset+n], pen
			if v.inSpan(offset) {
				color = v.palette.MatchText
				glyph.Fill(v.image, image.Rect(x, area.Min.Y+1, x+cells*g.cell, area.Max.Y-1).Intersect(area), v.palette.Match)
			} else if strings.HasPrefix(cluster, string(model.Placeholder)) {
				color = v.palette.Muted
			}
			v.glyphs.Glyph(cluster, cells).Draw(v.image, area, x, area.Min.Y+g.baseline, color)
		}
		at += cells
		offset += n
	}
}

func (v *View) inSpan(offset int) bool {
	for _, s := range v.spans {
		if offset >= s.Start && offset < s.End {
			return true
		}
	}
	return false
}

func (v *View) paintEmpty(g geometry) {
	y := g.header + max((g.height-g.header)/3, g.row)
	for line := range strings.SplitSeq(v.emptyText, "\n") {
		x := max((g.width-glyph.Cells(line, 1000)*g.cell)/2, v.px(8))
		v.glyphs.Text(v.image, v.image.Rect, x, y, line, v.palette.Muted)
		y += g.row
	}
}

func (v *View) paintHeader(g geometry) {
	glyph.Fill(v.image, image.Rect(0, 0, g.width, g.header), v.palette.Header)
	line := max(v.px(1), 1)
	glyph.Fill(v.image, image.Rect(0, g.header-line, g.width, g.header), v.palette.Separator)
	y := (g.header - v.glyphs.Height()) / 2
	for _, c := range g.columns {
		clip := image.Rect(c.x0, 0, c.x1, g.header)
		v.glyphs.Text(v.image, clip, c.x0, y, title(c.ID), v.palette.Muted)
		border := c.x1 + v.px(5)
		pen := v.palette.Separator
		if v.hoverPart == partBorder {
			pen = v.palette.Muted
		}
		glyph.Fill(v.image, image.Rect(border, v.px(4), border+line, g.header-v.px(4)), pen)
	}
	v.glyphs.Text(v.image, image.Rect(g.message.Min.X, 0, g.width, g.header), g.message.Min.X, y, title(ColumnMessage), v.palette.Muted)
}

func title(id ColumnID) string { return strings.ToUpper(string(id[:1])) + string(id[1:]) }

func (v *View) paintBars(g geometry) {
	inset := v.px(2)
	for _, bar := range []struct {
		part part
		area image.Rectangle
	}{{partThumb, v.thumb(g)}, {partSideThumb, v.sideThumb(g)}} {
		if bar.area.Empty() {
			continue
		}
		pen := v.palette.Bar
		if v.hoverPart == bar.part || v.drag.part == bar.part {
			pen = v.palette.BarHover
		}
		area := bar.area.Inset(inset)
		glyph.Rounded(v.image, area, min(area.Dx(), area.Dy())/2, pen)
	}
}

// hintText says how many rows came that are not in sight.
func (v *View) hintText() string {
	if v.following {
		return ""
	}
	n := v.Unseen()
	if n <= 0 {
		return ""
	}
	return "↓ " + model.Number(n) + " new"
}

func (v *View) paintHint(g geometry) {
	area := v.hintRect(g)
	if area.Empty() {
		return
	}
	glyph.Rounded(v.image, area, area.Dy()/2, v.palette.Accent)
	v.glyphs.Text(v.image, area, area.Min.X+v.px(12), area.Min.Y+(area.Dy()-v.glyphs.Height())/2, v.hintText(), v.palette.OnAccent)
}
