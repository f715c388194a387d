package glyph

import (
	"image"
	"image/color"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/go-text/render"
	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
)

// Glyph is a rasterised cluster.
type Glyph struct {
	// Left and Top place it, in pixels from the left edge of its first cell
	// and from the top of the row's text.
	Left, Top int
	// Width and Height are the size in pixels; 0 for what cannot be seen.
	Width, Height int
	// Alpha is how much of the pen's colour each pixel gets, row by row.
	Alpha []uint8
	// Color is set instead for emoji that bring their own colours.
	Color *image.RGBA
}

// Cache rasterises clusters at one size and remembers them.
type Cache struct {
	fonts  *Fonts
	asked  float32
	size   float32 // pixels per em, in range
	cell   int     // width of a cell in pixels
	height int     // height of text in pixels, from the highest to the lowest
	ascent int     // of the baseline below the top

	ascii  [utf8.RuneSelf]*Glyph
	others map[string]*Glyph
	shaper shaping.HarfbuzzShaper
	pen    render.Renderer
}

// maxGlyphs bounds the cache; a screen holds some thousand cells.
const maxGlyphs = 4096

// NewCache returns a cache for text of a size in pixels per em, at least 4 and
// at most 200.
func NewCache(fonts *Fonts, size float32) *Cache {
	asked := size
	size = min(max(size, 4), 200)
	c := &Cache{fonts: fonts, asked: asked, size: size, others: map[string]*Glyph{}}
	c.cell, c.height, c.ascent = int(size*0.6+0.5), int(size*1.2+0.5), int(size)
	if fonts.mono != nil {
		out := c.shape("M", fonts.mono, size)
		c.cell = max(out.Advance.Round(), 1)
		ascent, descent := out.LineBounds.Ascent, -out.LineBounds.Descent
		c.ascent = ascent.Round()
		c.height = c.ascent + descent.Ceil()
	}
	return c
}

// Cell returns the width of a cell in pixels.
func (c *Cache) Cell() int { return c.cell }

// Height returns the height of a line in pixels, without space between lines.
func (c *Cache) Height() int { return c.height }

// Len returns how many glyphs are held.
func (c *Cache) Len() int { return len(c.others) }

// Glyph returns a cluster as [Next] splits them, rasterised for that many
// cells.
func (c *Cache) Glyph(cluster string, cells int) *Glyph {
	if len(cluster) == 1 && cluster[0] < utf8.RuneSelf {
		g := c.ascii[cluster[0]]
		if g == nil {
			g = c.rasterise(cluster, cells)
			c.ascii[cluster[0]] = g
		}
		return g
	}
	g := c.others[cluster]
	if g == nil {
		if len(c.others) >= maxGlyphs {
			clear(c.others)
		}
		g = c.rasterise(cluster, cells)
		c.others[strings.Clone(cluster)] = g // not to hold the whole message
	}
	return g
}

func (c *Cache) rasterise(cluster string, cells int) *Glyph {
	first, _ := utf8.DecodeRuneInString(cluster)
	if first == ' ' || first == '\t' || first == '\u00a0' || first == '\u3000' || cells == 0 {
		return &Glyph{}
	}
	face := c.fonts.face(first, cells == 2 && (isPictograph(first) || isRegional(first)) || strings.ContainsRune(cluster, emojiSelector))
	if face == nil {
		return c.box(cells)
	}
	room := cells * c.cell
	size := c.size
	out := c.shape(cluster, face, size)
	if advance := float32(out.Advance) / 64; advance > float32(room)+0.5 {
		// A wide glyph of another font is made to fit rather than cut off.
		size *= float32(room) / advance
		out = c.shape(cluster, face, size)
	}
	return c.draw(out, face, size, room)
}

func (c *Cache) shape(text string, face *font.Face, size float32) shaping.Output {
	runes := []rune(text)
	return c.shaper.Shape(shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: di.DirectionLTR, Face: face,
		Size: fixed.Int26_6(size * 64), Script: language.LookupScript(runes[0]), Language: "en",
	})
}

// draw rasterises a shaped cluster in white, so that what is not white has
// a colour of its own.
func (c *Cache) draw(out shaping.Output, face *font.Face, size float32, room int) *Glyph {
	pad := c.height
	canvas := image.NewRGBA(image.Rect(0, 0, room+2*pad, c.height+2*pad))
	x := pad
	if spare := room - out.Advance.Round(); spare > 0 && face != c.fonts.mono {
		x += spare / 2
	}
	for i, g := range out.Glyphs {
		// The renderer cuts an image by its bearing; as an offset that is
		// harmless.
		if _, ok := face.GlyphData(g.GlyphID).(font.GlyphSVG); ok {
			out.Glyphs[i].XOffset += g.XBearing
			out.Glyphs[i].XBearing = 0
		}
	}
	c.pen.FontSize, c.pen.PixScale, c.pen.Color = size, 1, color.White
	c.pen.DrawShapedRunAt(out, canvas, x, pad+c.ascent)
	bounds, colored := inked(canvas)
	g := &Glyph{Left: bounds.Min.X - pad, Top: bounds.Min.Y - pad, Width: bounds.Dx(), Height: bounds.Dy()}
	if colored {
		g.Color = image.NewRGBA(image.Rect(0, 0, g.Width, g.Height))
	} else {
		g.Alpha = make([]uint8, g.Width*g.Height)
	}
	for y := range g.Height {
		for x := range g.Width {
			p := canvas.RGBAAt(bounds.Min.X+x, bounds.Min.Y+y)
			if colored {
				g.Color.SetRGBA(x, y, p)
			} else {
				g.Alpha[y*g.Width+x] = p.A
			}
		}
	}
	return g
}

// inked returns the part of an image that is not transparent, and whether any of
// it is not white.
func inked(img *image.RGBA) (bounds image.Rectangle, colored bool) {
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			p := img.RGBAAt(x, y)
			if p.A == 0 {
				continue
			}
			bounds = bounds.Union(image.Rect(x, y, x+1, y+1))
			if p.R != p.A || p.G != p.A || p.B != p.A {
				colored = true
			}
		}
	}
	return bounds, colored
}

// box is drawn for a character that no font has.
func (c *Cache) box(cells int) *Glyph {
	w := max(cells*c.cell-2, 2)
	h := max(int(math.Round(float64(c.size)*0.7)), 2)
	g := &Glyph{Left: 1, Top: c.ascent - h, Width: w, Height: h, Alpha: make([]uint8, w*h)}
	for y := range h {
		for x := range w {
			if x == 0 || y == 0 || x == w-1 || y == h-1 {
				g.Alpha[y*w+x] = 180
			}
		}
	}
	return g
}

// Size returns the size of the text in pixels per em that the cache was asked for.
func (c *Cache) Size() float32 { return c.asked }
