package glyph_test

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/logbook-tray/logbook-tray/ui/glyph"
)

var (
	white = color.RGBA{255, 255, 255, 255}
	black = color.RGBA{0, 0, 0, 255}
	blue  = color.RGBA{0, 0, 255, 255}
)

func TestClusters(t *testing.T) {
	tests := []struct {
		name, text string
		clusters   []string
		cells      int
	}{
		{"ASCII", "ab", []string{"a", "b"}, 2},
		{"letters", "Köln", []string{"K", "ö", "l", "n"}, 4},
		{"combining mark", "e\u0301a", []string{"e\u0301", "a"}, 2},
		{"mark without a letter", "\u0301a", []string{"\u0301", "a"}, 1},
		{"Japanese", "日本x", []string{"日", "本", "x"}, 5},
		{"full width", "Ａ", []string{"Ａ"}, 2},
		{"emoji", "👍a", []string{"👍", "a"}, 3},
		{"skin", "👍🏽a", []string{"👍🏽", "a"}, 3},
		{"heart as emoji", "❤️a", []string{"❤️", "a"}, 3},
		{"family", "👩‍👩‍👧x", []string{"👩‍👩‍👧", "x"}, 3},
		{"joiner between letters", "a\u200db", []string{"a\u200d", "b"}, 2},
		{"flags", "🇩🇪🇫🇷", []string{"🇩🇪", "🇫🇷"}, 4},
		{"half a flag", "🇩a", []string{"🇩", "a"}, 2},
		{"keycap", "1️⃣2", []string{"1️⃣", "2"}, 3},
		{"not UTF-8", "\xff\xffa", []string{"\xff", "\xff", "a"}, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			cells := 0
			for rest := test.text; rest != ""; {
				n, c := glyph.Next(rest)
				got, cells, rest = append(got, rest[:n]), cells+c, rest[n:]
			}
			if strings.Join(got, "|") != strings.Join(test.clusters, "|") || cells != test.cells {
				t.Errorf("clusters %q of %d cells, want %q of %d", got, cells, test.clusters, test.cells)
			}
			if n := glyph.Cells(test.text, 100); n != test.cells {
				t.Errorf("Cells = %d, want %d", n, test.cells)
			}
		})
	}
}

func TestNoClusterIsLong(t *testing.T) {
	text := "a" + strings.Repeat("\u0301", 10_000)
	if n, _ := glyph.Next(text); n > 100 {
		t.Errorf("a cluster of %d bytes", n)
	}
}

func FuzzNext(f *testing.F) {
	f.Add("a\u0301👩‍👩‍👧🇩🇪\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for text != "" {
			n, cells := glyph.Next(text)
			if n <= 0 || n > len(text) || cells < 0 || cells > 2 {
				t.Fatalf("%q: %d bytes, %d cells", text, n, cells)
			}
			text = text[n:]
		}
	})
}

// ink counts the pixels of an area that are not white.
func ink(img *image.RGBA, area image.Rectangle) int {
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if img.RGBAAt(x, y) != white {
				n++
			}
		}
	}
	return n
}

func TestTextIsDrawnInItsCells(t *testing.T) {
	c := glyph.NewCache(glyph.NewFonts(false), 13)
	img := image.NewRGBA(image.Rect(0, 0, 200, 40))
	glyph.Fill(img, img.Rect, white)
	if got := c.Text(img, img.Rect, 10, 10, "a b", blue); got != 3 {
		t.Errorf("%d cells, want 3", got)
	}
	cell := func(i int) image.Rectangle {
		return image.Rect(10+i*c.Cell(), 10, 10+(i+1)*c.Cell(), 10+c.Height())
	}
	if ink(img, cell(0)) == 0 || ink(img, cell(1)) != 0 || ink(img, cell(2)) == 0 {
		t.Errorf("ink %d, %d, %d", ink(img, cell(0)), ink(img, cell(1)), ink(img, cell(2)))
	}
	if total := ink(img, img.Rect); total != ink(img, cell(0).Union(cell(2))) {
		t.Error("there is ink outside of the cells")
	}
	pure := 0
	for y := range 40 {
		for x := range 200 {
			if p := img.RGBAAt(x, y); p == blue {
				pure++
			} else if p.B != 255 || p.R != p.G {
				t.Fatalf("colour %v is no mixture of white and blue", p)
			}
		}
	}
	if pure == 0 {
		t.Error("nothing is drawn in the colour asked for")
	}
}

func TestNothingIsDrawnOutsideOfTheClip(t *testing.T) {
	c := glyph.NewCache(glyph.NewFonts(false), 20)
	img := image.NewRGBA(image.Rect(0, 0, 60, 30))
	glyph.Fill(img, img.Rect, white)
	clip := image.Rect(10, 5, 17, 12)
	c.Text(img, clip, -5, -3, "WWWWWWWWWWWW", black)
	if ink(img, clip) == 0 {
		t.Error("nothing is drawn")
	}
	if ink(img, img.Rect) != ink(img, clip) {
		t.Error("something is drawn outside of the clip")
	}
}

func TestAMissingGlyphIsABox(t *testing.T) {
	c := glyph.NewCache(glyph.NewFonts(false), 13)
	g := c.Glyph("日", 2)
	if g.Width != 2*c.Cell()-2 || g.Alpha[0] == 0 || g.Alpha[len(g.Alpha)-1] == 0 || g.Alpha[g.Width+1] != 0 {
		t.Errorf("glyph of %d by %d is no box", g.Width, g.Height)
	}
}

func TestEmojiHaveTheirColours(t *testing.T) {
	c := glyph.NewCache(glyph.NewFonts(false), 26)
	g := c.Glyph("❤️", 2)
	if g.Color == nil || g.Width == 0 || g.Width > 2*c.Cell() {
		t.Fatalf("glyph %d wide, coloured %v", g.Width, g.Color != nil)
	}
	img := image.NewRGBA(image.Rect(0, 0, 60, 60))
	glyph.Fill(img, img.Rect, white)
	g.Draw(img, img.Rect, 0, 0, blue)
	red := false
	for i := 0; i < len(img.Pix); i += 4 {
		red = red || img.Pix[i] > 180 && img.Pix[i+1] < 120
	}
	if !red {
		t.Error("the heart is not red")
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	c := glyph.NewCache(glyph.NewFonts(false), 4)
	for r := rune(0x4e00); r < 0x4e00+6000; r++ {
		c.Glyph(string(r), 2)
	}
	if n := c.Len(); n == 0 || n > 4096 {
		t.Errorf("%d glyphs held", n)
	}
}

func TestSizesScale(t *testing.T) {
	fonts := glyph.NewFonts(false)
	one, two := glyph.NewCache(fonts, 13), glyph.NewCache(fonts, 26)
	if d := two.Cell() - 2*one.Cell(); d < -1 || d > 1 {
		t.Errorf("cells of %d and %d pixels", one.Cell(), two.Cell())
	}
	if huge := glyph.NewCache(fonts, 1e9); huge.Cell() > 200 || huge.Size() != 1e9 {
		t.Errorf("cells of %d pixels", huge.Cell())
	}
}

func TestShapes(t *testing.T) {
	img := image.NewRGBA(image.Rect(0, 0, 40, 40))
	glyph.Fill(img, image.Rect(-10, -10, 100, 100), white)
	glyph.Rounded(img, image.Rect(5, 5, 35, 35), 10, blue)
	if img.RGBAAt(20, 20) != blue || img.RGBAAt(5, 20) != blue || img.RGBAAt(5, 5) != white || img.RGBAAt(4, 20) != white {
		t.Error("not a rounded rectangle")
	}
	glyph.Fill(img, img.Rect, white)
	glyph.Frame(img, image.Rect(5, 5, 35, 35), 1, blue)
	if img.RGBAAt(5, 20) != blue || img.RGBAAt(34, 34) != blue || img.RGBAAt(6, 6) != white {
		t.Error("not a frame")
	}
	glyph.Rounded(img, image.Rect(38, 38, 50, 50), 4, blue) // over the edge: nothing happens but drawing
}

func BenchmarkText(b *testing.B) {
	c := glyph.NewCache(glyph.NewFonts(false), 13)
	img := image.NewRGBA(image.Rect(0, 0, 1000, 20))
	glyph.Fill(img, img.Rect, white)
	text := strings.Repeat("payment ", 12)
	b.ReportAllocs()
	for b.Loop() {
		c.Text(img, img.Rect, 0, 0, text, black)
	}
}
