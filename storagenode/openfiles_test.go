//go:build linux || darwin

package storagenode

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPebbleLeavesHalfOfTheOpenFilesToConnections(t *testing.T) {
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	if before.Max < 1000 {
		t.Skip("the machine allows too few open files")
	}
	t.Cleanup(func() { require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)) })
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1000, Max: before.Max}))
	require.Equal(t, 500, openFiles())
}
