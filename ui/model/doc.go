// Package model holds what the windows show, without any toolkit: the newest
// records in a [Store], a filtered [View] of them that is kept up to date in the
// background, the [Selection], and the texts and numbers that are drawn.
//
// A Store and a View may be used from any goroutine. Everything they hand out
// is immutable, so that a window draws from it without taking a lock.
package model
