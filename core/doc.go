// Package core is Logbook's record system for Go: loggers make records, a stack of
// handlers decides what becomes of them. It imports the standard library only.
//
// # Loggers
//
// A [Logger] stands for an area of a program, its channel. Loggers are made where
// they are needed; there is no registry and no hierarchy.
//
//	var log = core.NewLogger("shop.cart")
//
//	log.Info("order {0} of {user}", order.ID, core.Kw("user", name))
//	log.WarnContext(ctx, "payment declined", core.Extra("order", order.ID))
//	log.Exception(err, "cannot reach {0}", host) // with type, causes and stack
//	log.CatchPanics(ctx, job, "the job died")
//
// Messages are Python's format strings and are formatted only if somebody wants
// the record. A wrong one loses nothing: the message then says what was wrong.
//
// # Handlers and the stack
//
// A logger knows nothing of files or mails. A [Handler] delivers records; a [Binding] adds
// to it what Logbook gives every handler: a level, a filter, and whether records
// bubble on. Bindings lie on a stack, newest on top. A record meets the logger's own
// handlers first and then goes down the stack, and ends at the first binding that
// takes it and does not bubble. So what is bound last, and for the shortest
// time, goes first, which is how one request, one test or one job logs elsewhere
// without the rest of the program knowing.
//
//	remove := core.Install(core.Setups{ // for the process; the last is on top
//		core.Binding{Handler: handler.NewStderr(handler.StreamOptions{}), Level: core.LevelWarning},
//		core.Binding{Handler: file, Bubble: true},
//	})
//	defer remove()
//
//	err := core.Do(ctx, core.Binding{Handler: mail, Level: core.LevelError, Bubble: true},
//		func(ctx context.Context) error { return serve(ctx, request) })
//
// What is bound to a context is seen by who is given that context, in whatever
// goroutine; log with the Context methods to reach it. When a binding ends, its
// parts leave the stack one by one, the last first, and each handler that holds
// records back is flushed, also if ctx was cancelled.
//
// A Binding without a Handler is a blackhole: with it on top a program starts
// from nothing, at no cost for what lies below.
//
// # Processors and flags
//
// A [Processor] adds to records what only the place around knows. It runs once
// for a record, and only if a handler wants it. [Flags] say what happens to the
// errors of handlers (printed, ignored, or returned by the end of the binding), and
// whether the place in the source is looked up.
//
//	ctx, end := core.Bind(ctx, core.Setups{
//		core.Processor(func(r *core.Record) { r.Extra.Set("ip", request.RemoteAddr) }),
//		core.Flags{Errors: core.ErrorsRaise},
//	})
//	defer end()
//
// A handler that panics costs neither the program nor the other handlers.
//
// # Fingers crossed, limiting, batches
//
// Handlers wrap handlers. In package core/handler, FingersCrossed holds records
// back, debug included, until one is severe enough, and then delivers all that led
// up to it; Group makes one delivery of all records of a request; a [BatchHandler] can
// show them as one mail or notification.
//
//	crossed := handler.NewFingersCrossed(handler.FingersCrossedOptions{
//		Handler: mail, ActionLevel: core.LevelError, BufferSize: 200, Reset: true,
//	})
//	remove := core.Install(core.Binding{Handler: crossed, Bubble: true})
//
// Package core/limit tells repeats from news, so that an error that happens 10 000 times
// is one notification with a count; handlers that can only send ask its Delivery
// whether to. Package core/queue takes what is slow off the caller's goroutine. Package
// core/bridge connects slog, log, logr and writers.
//
// # Records
//
// A [Record] belongs to who makes it until it is dispatched, then to the processors, and
// is frozen from the first handler on: handlers only read it, and whoever holds it
// beyond Handle holds [Record.Keep]. Records from elsewhere go the same way, with
// [NewReceived] and [Dispatch]. What they carry and how they are written as JSON is
// Logbook's.
//
// # Python and Go side by side
//
//	log = Logger('shop')                     log := core.NewLogger("shop")
//	log.warn('x {0}', a)                     log.Warn("x {0}", a)
//	log.info('x {n}', n=1)                   log.Info("x {n}", core.Kw("n", 1))
//	log.info('x', extra={'a': 1})            log.Info("x", core.Extra("a", 1))
//	log.error('x', exc_info=e)               log.Error("x", core.Exc(err))
//	log.exception('x')                       log.Exception(err, "x")
//	with log.catch_exceptions():             log.CatchPanics(ctx, f, "")
//	with handler:                            core.Do(ctx, core.Binding{Handler: h}, f)
//	handler.push_application()               remove := core.Install(core.Binding{Handler: h})
//	FileHandler('x', level='ERROR',          core.Binding{Handler: file, Level: core.LevelError,
//	            bubble=True)                     Bubble: true}
//	NullHandler()                            core.Binding{}
//	NestedSetup([a, b])                      core.Setups{a, b}
//	Processor(f)                             core.Processor(f)
//	Flags(errors='silent')                   core.Flags{Errors: core.ErrorsSilent}
//	LoggerGroup([a, b], processor=p)         g := core.NewLoggerGroup(a, b); g.SetProcessor(p)
//	dispatch_record(r)                       core.Dispatch(ctx, r)
//	logged_if_slow('x', threshold=1)         defer log.LogIfSlow(ctx, time.Second, core.LevelDebug, "x")()
//
// DIFFERENCES.md in this directory lists where we depart from Logbook and why,
// PARITY.md the tests of Logbook and ours.
package core
