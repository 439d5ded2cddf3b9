"use strict";
// The city check-up: indicators by group with their states, for the scenario that is chosen.
const TITLES_ZH = {
  "Traffic & transport": "交通", "Population, access & equity": "人口、可达性与公平", "Energy & electricity": "能源与电力", "Water, gas, heat & waste": "水、气、热与垃圾",
  "Environment & climate": "环境与气候", "Safety, emergency & resilience": "安全、应急与韧性", "Policy value": "政策价值",
  travel_time_index: "行程时间指数", planning_time_index: "计划时间指数（可靠性）", mean_commute_time: "平均单程通勤时间", commutes_under_5_km: "5 公里以内通勤比例", commutes_under_45_min: "45 分钟以内通勤比例",
  peak_speed: "高峰期平均机动车速度", vehicle_km_per_capita: "人均车公里", delay_per_capita: "人均车辆延误", mode_share: "出行方式分担率", transit_trips_per_capita: "人均年公交出行次数",
  transit_network_length: "每十万人公交线网长度", transit_stop_coverage: "公交站点 500 米覆盖人口", commuters_near_rail: "轨道站点覆盖通勤比例", transit_crowding: "公交拥挤", cycle_network_length: "每十万人自行车道长度",
  road_density: "道路网密度", adaptive_signals: "自适应信号灯比例", streets_monitored: "主要道路监测率", low_carbon_vehicles: "低碳车辆比例", road_deaths: "每十万人道路交通死亡（风险模型）",
  jobs_reachable: "可达岗位", population_density: "建成区人口密度", day_night_ratio: "昼夜人口比", jobs_housing_ratio: "职住比", services_in_15_min: "15 分钟生活圈服务覆盖", green_access: "公园绿地可达性",
  green_area: "每十万人绿地面积", access_gini: "可达性基尼系数", access_palma: "可达性帕尔玛比值", benefit_by_income: "各收入组出行者收益", income_gini: "收入基尼系数", transport_cost_burden: "交通费用负担", crowd_exposure: "高密度人群暴露",
  electricity_per_capita: "人均用电", home_electricity_per_capita: "人均生活用电", peak_demand_per_capita: "人均峰值负荷", load_factor: "负荷率", saifi: "停电频率（SAIFI）", caidi: "停电时间（CAIDI）", supply_capacity: "供电容量与峰值之比",
  renewable_share: "可再生电力比例", public_building_energy: "公共建筑用电强度", peak_shifted: "需求响应削峰率", hours_above_rating: "变压器与线路过载小时", ev_charging: "电动车充电", storage_ratio: "储能容量与日用电之比",
  domestic_water: "人均生活用水", water_loss: "供水漏损率", water_interruption: "户均停水小时", water_availability: "供水可用率", wastewater_collection: "污水收集人口", home_heat: "人均供热量", gas_peak: "燃气高峰与能力之比", municipal_waste: "人均生活垃圾",
  transport_co2: "人均交通碳排放", total_co2: "人均总碳排放", traffic_pollutants: "交通氮氧化物与颗粒物", noise_exposure: "道路噪声超 55 分贝人口", energy_saved: "相对基准节能率", response_time: "应急响应时间", calls_within_8_min: "8 分钟内到达比例",
  fire_coverage: "消防站覆盖率", hospital_coverage: "医院覆盖率", hospital_access: "医院可达性（两步移动搜索法）", shelter_area: "人均避难场所面积", evacuation_time: "疏散时间", demand_lost: "道路关闭后的出行损失", cascade_size: "级联影响规模",
  resilience_loss: "韧性损失", hazard_exposure: "灾害区人口", consumer_surplus: "消费者剩余（半数法则）", net_present_value: "净现值与效益成本比", paired_effects: "配对效应",
};
const checkupTitle = (name, title) => (language === "zh" && TITLES_ZH[name]) || title;
const lightWords = (light) => make("span", { class: `light ${light}` }, word(`light_${light}`));

function writeCheckup() {
  const box = byId("checkup"), { checkup } = summary, arm = checkup.arms[state.scenario];
  const compared = several && state.scenario > 0;
  const columns = [{ title: word("figure"), long: true }, { title: label(state.scenario), number: true }, { title: word("unit") }, { title: word("light") }, { title: word("limits"), long: true }, { title: word("publishedFigure"), number: true }, ...(compared ? [{ title: word("difference"), number: true }, { title: word("state") }] : [])];
  const header = ["id", "indicator", "part", "value", "half_width", "unit", "state", "limits", "source", "published", "difference", "difference_half_width", "reason"], lines = [];
  const counts = { good: 0, watch: 0, bad: 0 }, parts = [];
  for (const group of checkup.groups) {
    const rows = [], missing = [];
    for (const of of group.rows) {
      const title = checkupTitle(of.name, of.title), code = of.code ? ` (U4SSC ${of.code})` : "";
      const figures = arm.figures[of.id] ?? [];
      for (const row of figures) {
        const limits = of.limits && of.limits.part === row.part ? of.limits : null;
        if (row.state in counts) counts[row.state] += 1;
        const name = make("span", { title: [of.formula, arm.notes[of.id]].filter(Boolean).join(". ") }, `${of.id}. ${title}${code}`, row.part ? `: ${named(row.part)}` : "");
        const value = `${figure(row.value)}${row.half === null ? "" : ` ± ${figure(row.half)}`}`;
        const told = limits ? make("span", { title: `${limits.source} (${limits.quality})` }, limits.words) : "–";
        rows.push([name, value, row.unit, lightWords(row.state), told, figure(row.published), ...(compared ? [row.effect ? figure(row.effect.diff, true) : "–", row.effect ? stateWords(row.effect) : "–"] : [])]);
        lines.push([of.id, of.name, row.part, row.value, row.half, row.unit, row.state, limits?.words, limits?.source, row.published, row.effect?.diff, row.effect?.half, ""]);
      }
      if (!figures.length) { missing.push([`${of.id}. ${title}${code}`, arm.absent[of.id]]); lines.push([of.id, of.name, "", "", "", of.unit, "none", of.limits?.words, of.limits?.source, "", "", "", arm.absent[of.id]]); }
    }
    const heading = checkupTitle(group.name, group.name);
    parts.push(make("h3", {}, heading));
    if (rows.length) parts.push(table(columns, rows, heading));
    if (missing.length) parts.push(make("details", {}, make("summary", {}, word("notTold", missing.length)), table([{ title: word("figure"), long: true }, { title: word("reason"), long: true }], missing, `${heading}: ${word("reason")}`)));
  }
  const total = make("p", { class: "lights" }, ...Object.entries(counts).map(([light, count]) => make("span", { class: `light ${light}` }, `${word(`light_${light}`)}: ${count}`)));
  box.replaceChildren(total, csvButton(word("checkup"), () => [header, lines]), ...parts);
}
