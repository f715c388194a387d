// Command icons draws the pictures under assets/icons from the SVG files beside it:
//
//	go run ./packaging/icons
//
// There are two drawings of the same book. The large one is for launchers and
// software centres. The small one, tray.svg, is laid out on the 22 pixels of a panel so
// that its lines fall on whole pixels there; the pictures that the tray shows are made
// from it, each with the mark of its state. The pictures are committed, so that a
// build needs none of this.
package main

import (
	"bytes"
	"embed"
	"fmt"
	"image"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

//go:embed *.svg
var sources embed.FS

const target = "assets/icons"

func main() {
	pictures, err := draw()
	if err == nil {
		err = write(target, pictures)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "icons:", err)
		os.Exit(1) //nolint:forbidigo // this is a main, too
	}
}

// picture is one file to make: a drawing, in so many pixels, with an equal margin on
// all sides.
type picture struct {
	source       string
	size, margin int
}

// pictures returns what is made, by file name. Below 48 pixels the large drawing would
// be a blur.
func pictures() map[string]picture {
	all := map[string]picture{
		"app-16.png": {source: "small16.svg", size: 16},
		"app-22.png": {source: "tray.svg", size: 22},
		"app-24.png": {source: "tray.svg", size: 24, margin: 1},
		"app-32.png": {source: "small16.svg", size: 32},
	}
	for _, size := range []int{48, 64, 128, 256, 512} {
		all[fmt.Sprintf("app-%d.png", size)] = picture{source: "app.svg", size: size}
	}
	for _, state := range []string{"normal", "unseen", "muted", "disconnected"} {
		// Four pixels for each of a panel's: it scales down well to any size of panel.
		all["tray-"+state+".png"] = picture{source: "tray-" + state + ".svg", size: 88}
	}
	return all
}

// draw returns the contents of all files by name.
func draw() (map[string][]byte, error) {
	files := make(map[string][]byte)
	for name, p := range pictures() {
		drawn, err := p.draw()
		if err != nil {
			return nil, fmt.Errorf("draw %s from %s: %w", name, p.source, err)
		}
		files[name] = drawn
	}
	// Desktops that scale icons themselves want the drawing.
	scalable, err := sources.ReadFile("app.svg")
	if err != nil {
		return nil, fmt.Errorf("read the drawing: %w", err)
	}
	files["app.svg"] = scalable
	return files, nil
}

// source returns the drawing of this name. tray-STATE.svg is the small one with the mark
// of the state over it.
func source(name string) ([]byte, error) {
	state, ok := strings.CutPrefix(name, "tray-")
	if !ok {
		return sources.ReadFile(name)
	}
	book, err := sources.ReadFile("tray.svg")
	if err != nil || state == "normal.svg" {
		return book, err
	}
	mark, err := sources.ReadFile("mark-" + state)
	if err != nil {
		return nil, err
	}
	if state != "unseen.svg" {
		book = fade(book)
	}
	return bytes.Replace(book, []byte("<!-- mark -->"), mark, 1), nil
}

// fade takes the colour out of a drawing: the program is there, but not at work.
func fade(drawing []byte) []byte {
	return []byte(strings.NewReplacer(
		"#2563eb", "#7b8698", "#1e40af", "#5f6a7d", // the cover
		"#16a34a", "#aab3c0", "#f59e0b", "#aab3c0", "#dc2626", "#aab3c0", // the lines
	).Replace(string(drawing)))
}

func (p picture) draw() ([]byte, error) {
	text, err := source(p.source)
	if err != nil {
		return nil, err
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(text), oksvg.StrictErrorMode)
	if err != nil {
		return nil, err
	}
	inner := float64(p.size - 2*p.margin)
	icon.SetTarget(float64(p.margin), float64(p.margin), inner, inner)
	canvas := image.NewRGBA(image.Rect(0, 0, p.size, p.size))
	scanner := rasterx.NewScannerGV(p.size, p.size, canvas, canvas.Bounds())
	icon.Draw(rasterx.NewDasher(p.size, p.size, scanner), 1)
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, canvas)
	return out.Bytes(), err
}

func write(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(filepath.Join(dir, name), files[name], 0o644); err != nil { //nolint:gosec // everybody may look at an icon
			return err
		}
	}
	return nil
}
