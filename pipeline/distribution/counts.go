// Package distribution counts scores exactly and cuts them into categories.
//
// A score is in hundredths, 0 to 10000 for 0.00 to 100.00. The distribution of a
// night is a count for each of these 10,001 scores; buckets, categories, shares
// and quantiles are sums over it, so that they always agree with each other.
package distribution

const (
	// Scores is the number of different scores.
	Scores = 10001
	// Top is the highest score, 100.00.
	Top uint16 = Scores - 1

	bucketCount = 20
	bucketWidth = 500 // hundredths: 5 points
)

// Counts is how many users have each score; the zero value counts none.
type Counts [Scores]int64

// Add counts every score. A value above [Top] stands for no score and is passed over.
func (c *Counts) Add(hundredths []uint16) {
	for _, h := range hundredths {
		if h < Scores {
			c[h]++
		}
	}
}

// Merge adds the counts of another part of the users.
func (c *Counts) Merge(other *Counts) {
	for h, n := range other {
		c[h] += n
	}
}

// Total is the number of users with a score.
func (c *Counts) Total() int64 { return c.between(0, Scores) }

// between counts the scores in [from, to).
func (c *Counts) between(from, to uint16) int64 {
	return sum(c[min(from, to):to])
}

// Buckets gives the counts of [0,5), [5,10) .. [95,100], lowest first.
func (c *Counts) Buckets() [20]int64 {
	var buckets [bucketCount]int64
	for h, n := range c {
		buckets[bucketOf(uint16(h))] += n
	}
	return buckets
}

func bucketOf(h uint16) uint16 { return min(h/bucketWidth, bucketCount-1) }
