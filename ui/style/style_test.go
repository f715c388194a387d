package style_test

import (
	"fmt"
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/style"
)

func TestAllTextHasEnoughContrast(t *testing.T) {
	const least = 4.5
	for _, p := range []*style.Palette{style.Light(), style.Dark()} {
		check := func(what string, text, ground color.RGBA) {
			t.Helper()
			if c := style.Contrast(text, ground); c < least {
				t.Errorf("dark %v: %s has a contrast of %.2f, want %.1f", p.Dark, what, c, least)
			}
		}
		for _, l := range append(core.Levels(), core.LevelNotSet, 37) {
			colors := p.Level(l)
			for name, ground := range map[string]color.RGBA{
				"own": colors.Ground, "hover": p.Hover, "selected": p.Selected, "marked": p.Marked,
			} {
				check(fmt.Sprintf("message of %v on the %s ground", l, name), colors.Text, ground)
				check(fmt.Sprintf("muted text of %v on the %s ground", l, name), p.Muted, ground)
				check(fmt.Sprintf("text of %v on the %s ground", l, name), p.Text, ground)
				if !colors.Badged {
					check(fmt.Sprintf("name of %v on the %s ground", l, name), colors.Name, ground)
				}
			}
			if colors.Badged {
				check(fmt.Sprintf("name of %v on its badge", l), colors.Name, colors.Badge)
			}
		}
		check("match", p.MatchText, p.Match)
		check("accent", p.OnAccent, p.Accent)
		check("accent as text", p.Accent, p.Ground)
		check("header", p.Muted, p.Header)
	}
}

func TestEveryLevelLooksDifferent(t *testing.T) {
	for _, p := range []*style.Palette{style.Light(), style.Dark()} {
		seen := map[style.LevelColors]core.Level{}
		for _, l := range core.Levels()[1:] {
			if other, ok := seen[p.Level(l)]; ok {
				t.Errorf("dark %v: %v looks like %v", p.Dark, l, other)
			}
			seen[p.Level(l)] = l
		}
	}
}

func TestThePaletteFollowsTheTheme(t *testing.T) {
	tests := []struct {
		variant style.Variant
		system  fyne.ThemeVariant
		dark    bool
	}{
		{style.VariantSystem, theme.VariantLight, false},
		{style.VariantSystem, theme.VariantDark, true},
		{style.VariantSystem, 2, true}, // no preference
		{style.VariantLight, theme.VariantDark, false},
		{style.VariantDark, theme.VariantLight, true},
	}
	for _, test := range tests {
		th := style.NewTheme(test.variant)
		if got := style.PaletteFor(th, test.system).Dark; got != test.dark {
			t.Errorf("variant %q of %d: dark %v, want %v", test.variant, test.system, got, test.dark)
		}
		for _, name := range []fyne.ThemeColorName{
			theme.ColorNameForeground, theme.ColorNamePlaceHolder, theme.ColorNameError, theme.ColorNameHyperlink, theme.ColorNameWarning,
		} {
			text, ground := rgba(th.Color(name, test.system)), rgba(th.Color(theme.ColorNameBackground, test.system))
			if c := style.Contrast(text, ground); c < 4.5 {
				t.Errorf("variant %q of %d: %s has a contrast of %.2f", test.variant, test.system, name, c)
			}
		}
		if th.Size(theme.SizeNameText) <= 0 || th.Size(theme.SizeNamePadding) <= 0 || th.Font(fyne.TextStyle{}) == nil {
			t.Error("a size or font is missing")
		}
	}
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }
