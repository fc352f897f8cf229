package distribution

import "fmt"

// Check proves that counts and categories agree: the categories sum to the total,
// so do the 20 buckets, and a category between limits of buckets (as 75, 50 and
// 0 make them) equals the sum of its buckets.
func Check(counts *Counts, categories Categories) error {
	total, buckets := counts.Total(), counts.Buckets()
	var inCategories int64
	end := uint16(Scores)
	for _, c := range categories {
		if c.From > end {
			return fmt.Errorf("category %s: it begins above the one before it, want the highest first", c.Name)
		}
		if err := checkBuckets(c, end, &buckets); err != nil {
			return err
		}
		inCategories += c.Count
		end = c.From
	}
	if inBuckets := sum(buckets[:]); total != inBuckets || total != inCategories {
		return fmt.Errorf("the scores count %d users, the buckets %d and the categories %d, want the same", total, inBuckets, inCategories)
	}
	return nil
}

// checkBuckets compares a category that ends before end with its buckets.
func checkBuckets(c Category, end uint16, buckets *[bucketCount]int64) error {
	first, ok := bucketLimit(c.From)
	past, alsoOK := bucketLimit(end)
	if !ok || !alsoOK {
		return nil
	}
	if want := sum(buckets[first:past]); c.Count != want {
		return fmt.Errorf("category %s: it counts %d users, buckets %d to %d count %d, want the same", c.Name, c.Count, first+1, past, want)
	}
	return nil
}

// bucketLimit gives the bucket that begins at h; the number of buckets past the
// last score. It is false inside a bucket.
func bucketLimit(h uint16) (int, bool) {
	if h == Scores {
		return bucketCount, true
	}
	return int(h / bucketWidth), h%bucketWidth == 0 && h < Top
}

func sum(counts []int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}
