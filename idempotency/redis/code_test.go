package redis

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// reply is an error as go-redis has it.
type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}

func TestTheCodeOfAnErrorIsFoundWhereverTheServerPutsIt(t *testing.T) {
	for text, want := range map[string]string{
		"OOM command not allowed when used memory > 'maxmemory'.":                        "OOM",
		"@user_script: 7: -READONLY You can't write against a read only replica.":        "READONLY",
		"WRONGTYPE Operation against a key holding the wrong kind of value script: abc.": "WRONGTYPE",
		"ERR unknown command 'CONFIG'":                                                   "ERR",
		"":                                                                               "",
	} {
		require.Equal(t, want, code(fmt.Errorf("wrapped: %w", reply(text))))
	}
	require.Empty(t, code(fmt.Errorf("OOM of another kind")))
	require.Empty(t, code(nil))
}
