package push

import (
	"testing"

	"github.com/logbook-tray/logbook-tray/notifiers/internal/pushtest"
)

func FuzzTextsBecomeNothingElse(f *testing.F) { pushtest.Fuzz(f, kinds()) }
