// Package process keeps a program and what it has started together.
package process
