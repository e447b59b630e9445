package pairdb

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/devrev/pairdb/quorum"
	"github.com/devrev/pairdb/replica"
	"github.com/devrev/pairdb/storagepb"
)

func TestARefusalIsOneOnlyWhereTheNodePromisesThatItCameBeforeApplying(t *testing.T) {
	for status := range storagepb.Status_name {
		s := storagepb.Status(status)
		failure, cause, ok := failureOf(&replica.Result{Status: s, Handed: true})
		if s == storagepb.Status_OK {
			require.True(t, ok)
			continue
		}
		require.False(t, ok)
		require.Error(t, cause)
		want := quorum.Refused
		switch s {
		case storagepb.Status_FAILED, storagepb.Status_STATUS_UNSPECIFIED:
			want = quorum.Unanswered
		case storagepb.Status_TOO_OLD:
			want = quorum.TooOld
		}
		require.Equal(t, want, failure, "%v", s)
	}
	failure, _, _ := failureOf(&replica.Result{Status: storagepb.Status_TOO_OLD, Seen: true})
	require.Equal(t, quorum.TooOldSeen, failure, "an earlier attempt was applied")
	failure, cause, _ := failureOf(&replica.Result{Status: 99})
	require.Equal(t, quorum.Unanswered, failure, "who knows what a later node means")
	require.ErrorIs(t, cause, ErrUnavailable)
}

func TestEachStatusHasItsSentinel(t *testing.T) {
	for status, want := range map[storagepb.Status]error{
		storagepb.Status_EXPIRED:           ErrUnavailable,
		storagepb.Status_STOPPING:          ErrUnavailable,
		storagepb.Status_OVERLOADED:        ErrOverloaded,
		storagepb.Status_DISK:              ErrUnavailable,
		storagepb.Status_INVALID:           ErrInvalid,
		storagepb.Status_TOO_LARGE:         ErrInvalid,
		storagepb.Status_POLICY:            ErrInvalid,
		storagepb.Status_TOO_MANY_SIBLINGS: ErrTooManySiblings,
		storagepb.Status_TOO_FAR_AHEAD:     ErrClockSkew,
		storagepb.Status_TOO_OLD:           ErrClockSkew,
		storagepb.Status_FAILED:            ErrUnavailable,
		storagepb.Status_EPOCH:             ErrUnavailable,
	} {
		require.ErrorIs(t, statusError(status, ""), want, "%v", status)
		require.ErrorContains(t, statusError(status, "because"), ": because", "%v", status)
	}
}

func TestAnOperationThatWasNeverHandedOverWasNotSent(t *testing.T) {
	failure, cause, ok := failureOf(&replica.Result{Err: replica.ErrExpired})
	require.False(t, ok)
	require.Equal(t, quorum.NotSent, failure)
	require.ErrorIs(t, cause, ErrUnavailable)
	require.ErrorIs(t, cause, replica.ErrExpired)
	failure, _, _ = failureOf(&replica.Result{Err: replica.ErrBroken, Handed: true})
	require.Equal(t, quorum.Unanswered, failure)
	_, cause, _ = failureOf(&replica.Result{Err: replica.ErrOverloaded})
	require.ErrorIs(t, cause, ErrOverloaded)
}
