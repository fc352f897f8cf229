package gate

import "fmt"

// expect judges the sizes of the audiences that state what they expect. Its value
// is the number of audiences outside their bounds.
func expect(c comparison) (Result, bool) {
	stated, outside := 0, 0
	message := ""
	for _, a := range c.tonight.Audiences {
		if a.Min == nil && a.Max == nil {
			continue
		}
		stated++
		if a.inside(a.Members) {
			continue
		}
		if outside++; outside == 1 {
			message = fmt.Sprintf("Audience %q has %s members, expected are %s", a.Name, Count(a.Members), a.bounds())
		}
	}
	r := atMost(share(int64(outside), 1), 0)
	switch outside {
	case 0:
		r.Message = fmt.Sprintf("All audiences that expect a size have it: %d.", stated)
	case 1:
		r.Message = message + "."
	default:
		r.Message = fmt.Sprintf("%s; audiences outside their bounds: %d.", message, outside)
	}
	return r, stated > 0
}

func (e Expect) inside(n int64) bool {
	return (e.Min == nil || n >= *e.Min) && (e.Max == nil || n <= *e.Max)
}

// bounds tells the bounds, of which at least one is set.
func (e Expect) bounds() string {
	switch {
	case e.Max == nil:
		return "at least " + Count(*e.Min)
	case e.Min == nil:
		return "at most " + Count(*e.Max)
	}
	return Count(*e.Min) + " to " + Count(*e.Max)
}
