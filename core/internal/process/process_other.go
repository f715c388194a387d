//go:build !unix

package process

import "os/exec"

// Group does nothing where there are no process groups: only the program itself is killed
// when the context of cmd is done.
func Group(*exec.Cmd) {}
