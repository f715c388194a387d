//go:build !windows

package sound

import (
	"context"
	"os/exec"
	"runtime"
)

func player() (func(context.Context, string) error, error) {
	p, err := find(runtime.GOOS, exec.LookPath)
	if err != nil {
		return nil, err
	}
	return p.play, nil
}
