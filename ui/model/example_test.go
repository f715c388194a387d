package model_test

import (
	"context"
	"fmt"
	"time"

	"github.com/logbook-tray/logbook-tray/core"
	"github.com/logbook-tray/logbook-tray/ui/model"
)

// A store is a handler like every other; filters work on what it holds.
func ExampleStore() {
	store := model.NewStore(model.StoreOptions{Records: 1000})
	for _, message := range []string{"order 4711 paid", "order 4712 declined", "health check"} {
		r := &core.Record{Channel: "shop", Level: core.LevelInfo, Msg: message}
		core.NewReceived(r, core.Source{Name: "dev"}, time.Now())
		_ = store.Handle(context.Background(), r)
	}
	matcher, err := model.Filter{Text: "channel:shop order -paid"}.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	for position, r := range store.Snapshot().From(0) {
		if matcher.Match(r) {
			fmt.Println(position, r.Message())
		}
	}
	// Output: 1 order 4712 declined
}

// A view does the filtering in the background and tells when there is
// something new to show.
func ExampleView() {
	store := model.NewStore(model.StoreOptions{})
	changed := make(chan struct{}, 1)
	view := model.NewView(store, model.ViewOptions{
		Filter: model.Filter{Min: core.LevelError},
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default: // it is known already
			}
		},
	})
	defer view.Close()
	_ = store.Handle(context.Background(), &core.Record{Level: core.LevelInfo, Msg: "fine"})
	_ = store.Handle(context.Background(), &core.Record{Level: core.LevelError, Msg: "broken"})
	for view.State().Stats.Total < 2 {
		<-changed
	}
	_, r := view.State().Rows.At(0)
	fmt.Println(view.State().Rows.Len(), r.Message())
	// Output: 1 broken
}
