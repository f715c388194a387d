package notifiers_test

import (
	"context"
	"fmt"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/core/limit"
	"github.com/logbook-tray/logbook-tray/notifiers"
)

// A notifier is one function; the handler sees to it that it is not called for every
// record.
func ExampleNewHandler() {
	show := notifiers.Func(func(_ context.Context, n notifiers.Notification) error {
		fmt.Printf("%s | %s\n", n.Title, n.Text(0))
		return nil
	})
	h := notifiers.NewHandler(show, notifiers.Options{Fingerprint: limit.Message})
	ctx, end := core.Bind(context.Background(), core.Binding{Handler: h, Level: core.LevelError})
	log := core.NewLogger("shop")
	for order := range 3 {
		log.ErrorContext(ctx, "payment declined for order {0}", order)
	}
	_ = end() // shows what was held back
	_ = h.Close()
	// Output:
	// shop: Error | payment declined for order 0
	// shop: Error | payment declined for order 2 (3 times in 60 s)
}
