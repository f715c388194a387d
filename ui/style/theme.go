package style

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Variant says whether the windows are light or dark.
type Variant string

// The variants.
const (
	VariantSystem Variant = "" // as the system prefers
	VariantLight  Variant = "light"
	VariantDark   Variant = "dark"
)

// Theme is the look of the app: Fyne's own, denser, on the grounds of the
// [Palette].
type Theme struct {
	fyne.Theme
	variant Variant
}

var _ fyne.Theme = (*Theme)(nil)

// NewTheme returns the theme.
func NewTheme(v Variant) *Theme { return &Theme{Theme: theme.DefaultTheme(), variant: v} }

func (t *Theme) resolve(system fyne.ThemeVariant) fyne.ThemeVariant {
	switch t.variant {
	case VariantLight:
		return theme.VariantLight
	case VariantDark:
		return theme.VariantDark
	}
	if system != theme.VariantLight { // there are values for "no preference"
		return theme.VariantDark
	}
	return system
}

// Color returns the colour of a name; those that the palette has agree with it.
func (t *Theme) Color(name fyne.ThemeColorName, system fyne.ThemeVariant) color.Color {
	variant := t.resolve(system)
	p := Dark()
	if variant == theme.VariantLight {
		p = Light()
	}
	switch name {
	case theme.ColorNameBackground:
		return p.Header
	case theme.ColorNameForeground:
		return p.Text
	case theme.ColorNameInputBackground, theme.ColorNameHeaderBackground:
		return p.Ground
	case theme.ColorNameInputBorder, theme.ColorNameSeparator:
		return p.Separator
	case theme.ColorNameMenuBackground, theme.ColorNameOverlayBackground:
		return p.Ground
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return p.Accent
	case theme.ColorNameForegroundOnPrimary:
		return p.OnAccent
	case theme.ColorNamePlaceHolder, theme.ColorNameDisabled:
		return p.Muted
	case theme.ColorNameError:
		return p.levels[6].Name
	case theme.ColorNameSuccess:
		return p.levels[4].Name
	case theme.ColorNameWarning:
		return p.levels[5].Name
	case theme.ColorNameSelection:
		return p.Selected
	case theme.ColorNameButton:
		if p.Dark {
			return rgb(0x2b3138)
		}
		return rgb(0xe4e8ec)
	}
	return t.Theme.Color(name, variant)
}

// Size returns a size; text and the space around it are a little smaller than
// Fyne's own, since the windows are full of it.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return 13
	case theme.SizeNameInnerPadding:
		return 6
	case theme.SizeNameHeadingText:
		return 18
	case theme.SizeNameSubHeadingText:
		return 15
	case theme.SizeNameInlineIcon:
		return 18
	}
	return t.Theme.Size(name)
}

// luminance is the relative luminance of WCAG 2.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
