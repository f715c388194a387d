package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheCommittedPicturesAreThoseOfTheDrawings(t *testing.T) {
	files, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join("..", "..", target)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok {
			t.Errorf("nothing draws %s", e.Name())
		}
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Errorf("%v; run: make icons", err)
			continue
		}
		if filepath.Ext(name) != ".png" {
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s is not as drawn; run: make icons (-want +got):\n%s", name, diff)
			}
			continue
		}
		// Not byte by byte: how a picture is packed may change with Go.
		if !samePixels(decode(t, want), decode(t, got)) {
			t.Errorf("%s is not as drawn; run: make icons", name)
		}
	}
}

func decode(t *testing.T, data []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// samePixels compares two pictures, but for the last bit of a curve, which is not the
// same on every processor.
func samePixels(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA)
			q := color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			if !near(p.R, q.R) || !near(p.G, q.G) || !near(p.B, q.B) || !near(p.A, q.A) {
				return false
			}
		}
	}
	return true
}

func TestEachPictureHasItsSizeAndNoStateLooksLikeAnother(t *testing.T) {
	files, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, p := range pictures() {
		m := decode(t, files[name])
		if got, want := m.Bounds().Size(), image.Pt(p.size, p.size); got != want {
			t.Errorf("%s has %v pixels, want %v", name, got, want)
		}
		if other, ok := seen[string(files[name])]; ok {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[string(files[name])] = name
	}
}
