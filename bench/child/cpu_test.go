package child

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAProcessIsReadFromItsStatWhateverItsName(t *testing.T) {
	p, ok := parseStat("4711 (a (b) 1 2) S 42 4711 4711 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 5 0 99 1 1")
	require.True(t, ok)
	require.Equal(t, process{pid: 4711, parent: 42, cpu: 2 * time.Second}, p)
	for _, text := range []string{"", "4711", "4711 (x) S", "x (x) S 42 1 1 1 1 1 1 1 1 1 1 1 1"} {
		_, ok := parseStat(text)
		require.False(t, ok, text)
	}
}

func TestTheTimeOfThisProcessIsNotThatOfItsChildren(t *testing.T) {
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; { // spends some
	}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	require.Zero(t, CPUTime())
}

func TestAChildsTimeIsItsOwn(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	self := &Child{cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}}
	for began := self.CPUTime(); self.CPUTime() == began; { // until it has been given a hundredth of a second
	}
	gone := &Child{cmd: &exec.Cmd{Process: &os.Process{Pid: 1 << 30}}}
	require.Zero(t, gone.CPUTime())
}
