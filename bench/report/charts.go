package report

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A chart is one SVG file.
type chart struct {
	file, title string
	x, y        string // the axes' labels
	logX, logY  bool
	names       []string // what stands at x = 0, 1, 2 …; nil for numbers
	lines       []Line
}

// WriteCharts writes the charts as SVG files to a directory, which it makes. A chart for which nothing was measured
// is left out.
func WriteCharts(dir string, r *Results) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range charts(r) {
		if len(c.lines) == 0 {
			continue
		}
		if err := c.write(filepath.Join(dir, c.file)); err != nil {
			return fmt.Errorf("chart %s: %w", c.file, err)
		}
	}
	return nil
}

func charts(r *Results) []chart {
	var list []chart
	for _, w := range []struct{ workload, title string }{{Put, "PUT"}, {Get, "GET"}} {
		list = append(list,
			chart{file: "throughput-" + w.workload + ".svg", title: w.title + ": throughput by callers",
				x: "callers", y: "operations per second", logX: true, logY: true, lines: r.byCallers(w.workload)},
			chart{file: "latency-" + w.workload + ".svg", title: w.title + ": latency at half of the highest throughput, open loop",
				x: "percentile", y: "milliseconds", logY: true, names: percentileNames, lines: r.byPercentile(w.workload)},
			chart{file: "size-" + w.workload + ".svg", title: fmt.Sprintf("%s: throughput by size of value", w.title),
				x: "bytes of a value", y: "operations per second", logX: true, logY: true, lines: r.bySize(w.workload)})
	}
	for _, c := range r.Curves {
		list = append(list, chart{file: strings.ReplaceAll(c.Name, " ", "-") + ".svg", title: c.Name, x: c.X, y: c.Y, logX: c.LogX, lines: c.Lines})
	}
	return list
}

// lines makes a line for each subject from the points that of finds for its cases.
func (r *Results) lines(of func(Measured) []Point) []Line {
	var list []Line
	for _, s := range r.Subjects {
		line := Line{Name: s.Name}
		for _, m := range r.Measured {
			if m.Subject == s.Name && m.Median().OpsPerSecond > 0 {
				line.Points = append(line.Points, of(m)...)
			}
		}
		if len(line.Points) > 1 {
			slices.SortFunc(line.Points, func(a, b Point) int { return int(a.X - b.X) })
			list = append(list, line)
		}
	}
	return list
}

func (r *Results) byCallers(workload string) []Line {
	return r.lines(func(m Measured) []Point {
		if m.Callers == 0 || m.Case != at(m.Subject, workload, m.Callers) {
			return nil
		}
		return []Point{{float64(m.Callers), m.Median().OpsPerSecond}}
	})
}

func (r *Results) bySize(workload string) []Line {
	return r.lines(func(m Measured) []Point {
		if m.Workload != workload || m.Bytes == 0 {
			return nil
		}
		return []Point{{float64(m.Bytes), m.Median().OpsPerSecond}}
	})
}

var percentileNames = []string{"p50", "p90", "p99", "p99.9", "p99.99"}

func (r *Results) byPercentile(workload string) []Line {
	return r.lines(func(m Measured) (points []Point) {
		if m.Case != open(m.Subject, workload, 50) {
			return nil
		}
		s := m.Median()
		for i, us := range []float64{s.P50, s.P90, s.P99, s.P999, s.P9999} {
			points = append(points, Point{float64(i), us / 1000})
		}
		return points
	})
}

// The size of a chart, and the strip at its right that the legend has to itself.
const (
	chartWidth  = 22 * vg.Centimeter
	chartHeight = 12 * vg.Centimeter
	legendWidth = 4.6 * vg.Centimeter
	margin      = 3 * vg.Millimeter
)

func (c chart) write(file string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.Title.Padding = vg.Points(8)
	p.Add(plotter.NewGrid())
	legend := plot.NewLegend()
	legend.Top, legend.Left, legend.Padding = true, true, vg.Points(4)
	for i, l := range c.lines {
		points := make(plotter.XYs, len(l.Points))
		for j, at := range l.Points {
			points[j] = plotter.XY(at)
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		line.Color, line.Width = palette[i%len(palette)], vg.Points(1.5)
		dots.Color, dots.Shape, dots.Radius = line.Color, shapes[i%len(shapes)], vg.Points(3)
		p.Add(line, dots)
		legend.Add(l.Name, line, dots)
	}
	c.axes(p)
	canvas := vgsvg.New(chartWidth, chartHeight)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	p.Draw(draw.Crop(whole, margin, -legendWidth, margin, -margin))
	legend.Draw(draw.Crop(whole, chartWidth-legendWidth+vg.Points(8), 0, 0, -vg.Points(36)))
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := canvas.WriteTo(f); err != nil {
		return err
	}
	return f.Close()
}

func (c chart) axes(p *plot.Plot) {
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.TickerFunc(evenTicks), plot.TickerFunc(evenTicks)
	if c.logX {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, c.measuredTicks()
		p.X.Min, p.X.Max = p.X.Min/1.1, p.X.Max*1.1
	}
	switch {
	case c.logY:
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
		p.Y.Min, p.Y.Max = p.Y.Min/1.2, p.Y.Max*1.2
	default:
		p.Y.Min, p.Y.Max = 0, p.Y.Max*1.1
	}
	if c.names != nil {
		p.NominalX(c.names...)
		p.X.Min, p.X.Max = -0.2, float64(len(c.names))-0.8
	}
}

// measuredTicks are where something was measured.
func (c chart) measuredTicks() plot.ConstantTicks {
	var list plot.ConstantTicks
	for _, l := range c.lines {
		for _, at := range l.Points {
			if tick := (plot.Tick{Value: at.X, Label: axisText(at.X)}); !slices.Contains(list, tick) {
				list = append(list, tick)
			}
		}
	}
	return list
}

// logTicks are 1, 2 and 5 of each power of ten, or 1 alone where the axis has many powers.
func logTicks(low, high float64) []plot.Tick {
	steps := []float64{1, 2, 5}
	if high/low > 2000 {
		steps = steps[:1]
	}
	var list []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Ceil(math.Log10(high)); power++ {
		for _, step := range steps {
			if at := step * math.Pow(10, power); at >= low && at <= high {
				list = append(list, plot.Tick{Value: at, Label: axisText(at)})
			}
		}
	}
	return list
}

// evenTicks are the usual ones, with numbers that people read.
func evenTicks(low, high float64) []plot.Tick {
	list := plot.DefaultTicks{}.Ticks(low, high)
	for i, t := range list {
		if t.Label != "" {
			list[i].Label = axisText(t.Value)
		}
	}
	return list
}

// axisText writes a number without digits that say nothing.
func axisText(x float64) string {
	if x < 1000 {
		return fmt.Sprintf("%.3g", x)
	}
	return Thousands(x)
}

// palette holds colours that people who see colours differently tell apart (Okabe and Ito, 2008).
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255}, color.RGBA{213, 94, 0, 255}, color.RGBA{0, 0, 0, 255}, color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255}, color.RGBA{230, 159, 0, 255}, color.RGBA{86, 180, 233, 255}, color.RGBA{160, 150, 30, 255},
}

var shapes = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.PlusGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{},
}
