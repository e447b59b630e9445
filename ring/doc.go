// Package ring maps keys to tokens, tokens to partitions, and partitions to
// the preference lists of the nodes that own them.
//
// It is a pure function of a Config and a set of nodes: whoever holds the same
// two, in any process, on any platform, finds the same owners, without talking
// to anybody. Looking up is one hash and one table read.
//
// # Technique
//
// The circle of vnodes is that of Karger et al. (Consistent Hashing and Random
// Trees, STOC 1997); equal partitions of token space and preference lists that
// skip to distinct nodes are those of Dynamo (DeCandia et al., SOSP 2007,
// section 6.2, strategy 3). Plain vnodes leave a cluster of 100 nodes, with
// 4,096 partitions and three owners each, with a node that has 1.28 times its
// share, and one of 1,000 nodes with 2.1 times. Two refinements mend that:
//
//   - Several walkers per partition instead of one, after multi-probe
//     consistent hashing (Appleton, O'Reilly, arXiv:1505.00062, 2015), so that
//     the lengths of single arcs even out.
//   - Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam,
//     SODA 2018, arXiv:1608.01350): a node at its bound is passed over, and the
//     partition goes on to the next node that it meets.
//
// # Algorithm
//
// H is XXH64 with seed 0, or the first 8 bytes of SHA-256 as a big-endian
// number. u32(x) is x in 4 bytes, big endian; len counts bytes; all numbers
// are unsigned 64-bit integers that wrap around, and divisions round down,
// where nothing else is said.
//
//  1. The token of a key is H(u32(len(tenant)) tenant key). Its partition is
//     the token's top log2(Partitions) bits.
//  2. A node has weight v = Weight × VNodes in float64, rounded to the nearest
//     integer, halves up, at least 1. Nodes are taken in byte order of their
//     ids, zones in byte order of their names; the empty name is one zone.
//  3. For i < v, a node's vnode i lies at H(u32(len(id)) id u32(i) u32(0)). While
//     two vnodes of the circle lie on one point, every one but that of the
//     lowest (id, i) on its point is placed again, all at once, with the last
//     number, its own attempt, one higher.
//  4. Partition p has 8 walkers; walker k sets out at H(u32(0) u32(p) u32(k)).
//     All go clockwise at the same speed. The walk of p is the sequence of
//     vnodes in the order in which they are met: by distance (point - start),
//     a vnode at the start being met at distance 0; at equal distance by lower
//     k. It ends after min(128, number of vnodes) meetings.
//  5. The first place of all lists is filled, partition by partition from 0,
//     then the second place, and so on to the n-th = min(7, nodes). A node is
//     eligible for p if it is not yet an owner of p and its zone has given p
//     exactly c owners, where c is the largest number for which the sum over
//     zones of min(nodes in the zone, c) is at most n-1.
//  6. Each place n has bounds, computed before it is filled (step 8). The owner
//     is the first node on the walk that is eligible and whose ownerships so
//     far, over all places, are below its bound.
//  7. If there is none: of all nodes that are eligible and below their bounds
//     the one with the least mix(start of walker 0 xor point of its vnode 0),
//     where mix is the finalizer of SplitMix64; if there is none of those
//     either, the eligible node with the least quotient of ownerships and bound.
//     Ties go to the lower id.
//  8. Shares are in 65,536ths. One whole is Partitions × 65,536. n wholes are
//     divided among the zones in proportion to the sums of their nodes'
//     weights, a zone getting at least min(size, c) wholes and at most
//     min(size, c+1); then each zone's share among its nodes, each getting at
//     most one whole. To divide T: every portion gets T × weight / (sum of
//     weights); let below be the sum of what is missing to the least, above
//     the sum of what exceeds the most. If both are 0, that is it. Else, if
//     below ≥ above, the portions below their least are fixed at it, otherwise
//     those above their most at that; what is left of T is divided again among
//     the portions that are not fixed. With share t, let x be t + t/4 for n ≤ 2,
//     and from n = 3 on the larger of t + t/20 and t + t/10 - min(t/10, 65,536).
//     The bound is (x + the top 16 bits of the point of the node's vnode 0) /
//     65,536, but at least 1.
//
// testdata/golden.txt holds vectors for each of these steps.
//
// # Invariants
//
//  1. The result depends on the set of nodes, never on their order, and on no
//     floating-point operation but the one multiplication of step 2.
//  2. A list has min(MaxOwners, nodes) distinct nodes. Owners(p, n) is a prefix
//     of Owners(p, m) for n ≤ m.
//  3. Lists are spread over zones as evenly as can be, at every length: two
//     zones differ by at most one owner unless the smaller one has given all
//     its nodes. So five owners over three zones are 2, 2 and 1.
//  4. No two vnodes lie on one point.
//  5. Balance holds for every prefix from three on, since places are filled
//     one after the other with bounds of their own.
//  6. A node has no more ownerships than its bound, unless some partition is
//     left with no eligible node below its bound: zones come first.
//  7. Tokens of two different (tenant, key) pairs come from different input.
//  8. A Ring never changes.
//
// # What is reached
//
// Balance is the largest share over the mean, worst of several trials;
// movement is the fraction of ownerships that change when one node of weight 1
// joins, over the ideal of 1/(nodes+1), mean of the same trials; three owners.
//
//	nodes  partitions  balance  movement   in 3 zones: balance  movement
//	    3       4,096     1.00      1.01                  1.00      0.68
//	   10       4,096     1.07      0.99    (12 nodes)    1.09      0.85
//	  100       4,096     1.10      1.13    (99 nodes)    1.10      1.06
//	1,000       4,096     1.06       5.3   (999 nodes)    1.06       6.2
//	1,000      65,536     1.10      1.21   (999 nodes)    1.10      1.20
//
// (go test ./ring -run BalanceAndMovement -v prints it.) The aims, 1.10 and
// 1.25, are met but for the movement of 1,000 nodes with 4,096 partitions:
// there a node has 12.3 ownerships on average and at most 13, most nodes are
// full, and whoever gives way pushes another on; a join moves about half a
// per cent of the data. With fewer than 20 ownerships a node, balance
// may reach 1.05 + 1/ownerships: between 800 and 1,400 nodes of such a cluster
// it was from 1.05 to 1.14. A cluster that is
// to grow past a few hundred nodes should be created with 65,536 partitions.
// With one or two owners the bound is looser: up to 1.27 at 100 nodes, 1.47 at
// 1,000 with 4,096 partitions.
//
// With zones of unequal weight the mean cannot be met: where a zone has one
// node, and there are as many zones as owners, that node owns everything.
//
// Construction takes tens of milliseconds at 1,000 nodes and 4,096 partitions,
// and roughly 250 bytes per partition while it lasts; a Ring keeps 28.
package ring
