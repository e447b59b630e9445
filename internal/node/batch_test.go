package node

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/internal/wire"
	"github.com/devrev/pairdb/storagepb"
	"github.com/devrev/pairdb/vclock"
)

// A scale is an engine that weighs what it is given, and is full from one Apply on.
type scale struct {
	*slowDisk
	applies  []int // bytes of each
	fullFrom int   // 0 is never
}

func (s *scale) Apply(puts []KV) error {
	if s.fullFrom > 0 && len(s.applies)+1 >= s.fullFrom {
		return ErrFull
	}
	bytes := 0
	for _, put := range puts {
		bytes += len(put.Value)
	}
	s.applies = append(s.applies, bytes)
	return s.slowDisk.Apply(puts)
}

const (
	largeKeys  = 48
	largeValue = 1 << 20
)

// large returns a node that holds a large value under each of several keys, and
// small writes beside them.
func large(t *testing.T, s *scale, config Config) (*Core, []*wire.Operation) {
	first := open(t, s.Memory, Config{})
	ops := make([]*wire.Operation, largeKeys)
	for i := range ops {
		key := fmt.Sprint("k", i)
		require1(t, storagepb.Status_OK, first.Do(write(key, at(1, 0), nil, string(make([]byte, largeValue)))))
		ops[i] = numbered(uint64(i), write(key, at(2, 0), nil, "small"))
	}
	return open(t, s, config), ops
}

func gathered(answers collect, n int) map[storagepb.Status]int {
	got := map[storagepb.Status]int{}
	for n > 0 {
		for _, r := range <-answers {
			got[r.answer.Status]++
			n--
		}
	}
	return got
}

func TestABatchIsBoundedByWhatItWritesNotByWhatArrived(t *testing.T) {
	s := &scale{slowDisk: newSlowDisk()}
	c, ops := large(t, s, Config{NoSync: true})
	answers := make(collect, len(ops))
	c.run(ops, time.Now(), answers)
	require.Equal(t, map[storagepb.Status]int{storagepb.Status_OK: largeKeys}, gathered(answers, len(ops)))
	require.Greater(t, len(s.applies), 1)
	for _, bytes := range s.applies {
		require.LessOrEqual(t, bytes, batchBytes+2*largeValue)
	}
	for i := range largeKeys {
		holds(t, c, fmt.Sprint("k", i), string(make([]byte, largeValue)), "small")
	}
}

func TestEveryPartOfALargeBatchIsOnDiskBeforeItsAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scale{slowDisk: newSlowDisk()}
		c, ops := large(t, s, Config{})
		answers := make(collect, len(ops))
		c.run(ops, time.Now(), answers)
		synctest.Wait()
		require.Empty(t, answers)
		s.sync <- nil
		require.Equal(t, map[storagepb.Status]int{storagepb.Status_OK: largeKeys}, gathered(answers, len(ops)))
		require.Equal(t, s.snapshot(), s.synced)
	})
}

func TestADiskThatFillsUpAmidALargeBatchRefusesOnlyWhatItDidNotTake(t *testing.T) {
	s := &scale{slowDisk: newSlowDisk(), fullFrom: 3}
	c, ops := large(t, s, Config{NoSync: true})
	answers := make(collect, len(ops))
	c.run(ops, time.Now(), answers)
	got := gathered(answers, len(ops))
	stored := 0
	for i := range largeKeys {
		_, state, err := c.Inspect("t", fmt.Append(nil, "k", i))
		require.NoError(t, err)
		stored += len(state.Siblings) - 1
	}
	require.Positive(t, stored)
	require.Less(t, stored, largeKeys)
	require.Equal(t, map[storagepb.Status]int{storagepb.Status_OK: stored, storagepb.Status_DISK: largeKeys - stored}, got)
	require.NoError(t, c.Err())
}

func TestWritesToOneLargeKeyAreStillWrittenOnce(t *testing.T) {
	s := &scale{slowDisk: newSlowDisk()}
	c := open(t, s, Config{NoSync: true, Limits: Limits{MaxValueBytes: maxValue, MaxSiblings: 100}})
	ops := []*wire.Operation{write("k", at(1, 0), nil, string(make([]byte, maxValue)))}
	ops = append(ops, write("k", at(2, 0), nil, string(make([]byte, 1<<20))))
	for i := range 20 {
		ops = append(ops, write("k", at(10, 0), nil, "v"), write("k", at(vclock.Actor(11+i), 0), nil, "v"))
	}
	answers := make(collect, len(ops))
	c.run(ops, time.Now(), answers)
	require.Equal(t, map[storagepb.Status]int{storagepb.Status_OK: len(ops)}, gathered(answers, len(ops)))
	require.Len(t, s.applies, 1)
}
