package model

import "sync/atomic"

// Poster brings work to the goroutine of the user interface without ever queueing
// it twice: however often Post is called, one call of Do is on its way at
// most, and one more call follows a Post that came while Do was running.
//
// Its fields are set before the first Post.
type Poster struct {
	// Dispatch runs a function on the goroutine of the user interface, later
	// or at once.
	Dispatch func(func())
	// Do is what is to be done there.
	Do func()

	underway atomic.Bool
}

// Post asks for a call of Do. It may be called from any goroutine.
func (p *Poster) Post() {
	if p.underway.CompareAndSwap(false, true) {
		p.Dispatch(func() {
			p.underway.Store(false)
			p.Do()
		})
	}
}
