package main

import (
	"context"

	"github.com/logbook-tray/logbook-tray/cmd/logbook-tray/internal/app"
	"github.com/logbook-tray/logbook-tray/core/pipeline"
	"github.com/logbook-tray/logbook-tray/core/queue"
)

// keepingRejected returns the kinds with the messages that are no record kept by a.
func keepingRejected(a *app.App, list []pipeline.SourceKind) []pipeline.SourceKind {
	for i := range list {
		kind := list[i]
		list[i].New = func(env *pipeline.Env, options any) (pipeline.Opener, error) {
			open, err := kind.New(env, options)
			if err != nil {
				return nil, err
			}
			return func(ctx context.Context) (pipeline.Subscriber, error) {
				opened, err := open(ctx)
				if s, ok := opened.(subscriber); ok && err == nil {
					*s.rejected = func(r queue.Rejection) { a.Reject(kind.Name, r) }
				}
				return opened, err
			}, nil
		}
	}
	return list
}
