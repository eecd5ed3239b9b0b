// Charts of the dashboard: each draws the table behind it, so that a figure is never computed twice.
import * as echarts from "echarts/core";
import { CustomChart, HeatmapChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([CustomChart, HeatmapChart, LineChart, DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent, CanvasRenderer]);

export function draw(figures) { for (const figure of figures) echarts.init(figure); }
