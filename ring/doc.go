// Package ring maps keys to tokens, tokens to partitions, and partitions to
// the preference lists of the nodes that own them.
package ring
