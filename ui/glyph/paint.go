package glyph

import (
	"image"
	"image/color"
	"math"
)

// Fill paints a rectangle in one opaque colour.
func Fill(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	r = r.Intersect(dst.Rect)
	if r.Empty() {
		return
	}
	first := dst.Pix[dst.PixOffset(r.Min.X, r.Min.Y):][:r.Dx()*4]
	for i := 0; i < len(first); i += 4 {
		first[i], first[i+1], first[i+2], first[i+3] = c.R, c.G, c.B, c.A
	}
	for y := r.Min.Y + 1; y < r.Max.Y; y++ {
		copy(dst.Pix[dst.PixOffset(r.Min.X, y):], first)
	}
}

// Frame paints the outline of a rectangle, width pixels inside its edges.
func Frame(dst *image.RGBA, r image.Rectangle, width int, c color.RGBA) {
	Fill(dst, image.Rect(r.Min.X, r.Min.Y, r.Max.X, r.Min.Y+width), c)
	Fill(dst, image.Rect(r.Min.X, r.Max.Y-width, r.Max.X, r.Max.Y), c)
	Fill(dst, image.Rect(r.Min.X, r.Min.Y, r.Min.X+width, r.Max.Y), c)
	Fill(dst, image.Rect(r.Max.X-width, r.Min.Y, r.Max.X, r.Max.Y), c)
}

// Rounded paints a rectangle with rounded corners over what is there.
func Rounded(dst *image.RGBA, r image.Rectangle, radius int, c color.RGBA) {
	radius = max(min(radius, r.Dx()/2, r.Dy()/2), 0)
	Fill(dst, image.Rect(r.Min.X, r.Min.Y+radius, r.Max.X, r.Max.Y-radius), c)
	for i := range radius {
		// Two lines, as far from the top as from the bottom; the corner's pixel is
		// covered in part.
		d := float64(radius) - float64(i) - 0.5
		inset := float64(radius) - math.Sqrt(float64(radius*radius)-d*d)
		whole := int(inset)
		part := uint8(255 * (1 - (inset - float64(whole))))
		for _, y := range [...]int{r.Min.Y + i, r.Max.Y - 1 - i} {
			Fill(dst, image.Rect(r.Min.X+whole+1, y, r.Max.X-whole-1, y+1), c)
			blendPixel(dst, r.Min.X+whole, y, c, part)
			blendPixel(dst, r.Max.X-whole-1, y, c, part)
		}
	}
}

func blendPixel(dst *image.RGBA, x, y int, c color.RGBA, alpha uint8) {
	if (image.Point{X: x, Y: y}).In(dst.Rect) {
		p := dst.Pix[dst.PixOffset(x, y):][:4]
		p[0], p[1], p[2] = mix(p[0], c.R, alpha), mix(p[1], c.G, alpha), mix(p[2], c.B, alpha)
	}
}

func mix(from, to, alpha uint8) uint8 {
	return uint8((uint32(from)*(255-uint32(alpha)) + uint32(to)*uint32(alpha) + 127) / 255)
}

// Draw blends the glyph in colour c, with the left edge of its first cell at x
// and the top of the text at y; nothing is drawn outside of clip. dst is opaque.
func (g *Glyph) Draw(dst *image.RGBA, clip image.Rectangle, x, y int, c color.RGBA) {
	x, y = x+g.Left, y+g.Top
	r := image.Rect(x, y, x+g.Width, y+g.Height).Intersect(clip).Intersect(dst.Rect)
	if r.Empty() {
		return
	}
	if g.Color != nil {
		g.drawColor(dst, r, x, y)
		return
	}
	for row := r.Min.Y; row < r.Max.Y; row++ {
		alpha := g.Alpha[(row-y)*g.Width+r.Min.X-x:][:r.Dx()]
		line := dst.Pix[dst.PixOffset(r.Min.X, row):][:r.Dx()*4]
		for i, a := range alpha {
			if a == 0 {
				continue
			}
			p := line[i*4 : i*4+3 : i*4+3]
			if a == 255 {
				p[0], p[1], p[2] = c.R, c.G, c.B
				continue
			}
			p[0], p[1], p[2] = mix(p[0], c.R, a), mix(p[1], c.G, a), mix(p[2], c.B, a)
		}
	}
}

func (g *Glyph) drawColor(dst *image.RGBA, r image.Rectangle, x, y int) {
	for row := r.Min.Y; row < r.Max.Y; row++ {
		for col := r.Min.X; col < r.Max.X; col++ {
			s := g.Color.RGBAAt(col-x, row-y) // premultiplied
			p := dst.Pix[dst.PixOffset(col, row):][:3]
			rest := 255 - uint32(s.A)
			p[0] = s.R + uint8(uint32(p[0])*rest/255)
			p[1] = s.G + uint8(uint32(p[1])*rest/255)
			p[2] = s.B + uint8(uint32(p[2])*rest/255)
		}
	}
}

// Text draws text from cell 0 at x on, as far as it fits into clip, and returns
// how many cells it took.
func (c *Cache) Text(dst *image.RGBA, clip image.Rectangle, x, y int, text string, pen color.RGBA) int {
	at := 0
	for len(text) > 0 && x+at*c.cell < clip.Max.X {
		n, cells := Next(text)
		c.Glyph(text[:n], cells).Draw(dst, clip, x+at*c.cell, y, pen)
		at += cells
		text = text[n:]
	}
	return at
}
