"""Addresses: found from the province or the estate to the room, and told apart from the streets of offices."""

from __future__ import annotations

import pytest

from touyan.corpus.personal.find import find
from touyan.corpus.personal.places import last_chain, places

HOMES = [
    ("住址：", "朝阳区幸福里5号院6号楼1单元224室", "。"),
    ("我住", "天通苑北三区12号楼301", "，天天漏水"),
    ("家住", "浦东张杨路188弄6号402室", "的李阿姨"),
    ("地址：", "江苏省 南京市 鼓楼区 中山北路 88号 3栋 402室", ""),
    ("户籍地：", "安徽省阜阳市临泉县老集镇王庄行政村后王庄23号", "。"),
    ("租住在", "深圳市宝安区西乡街道固戍社区南昌三队五巷12号606房", "。"),
    ("", "万科城市花园3期12栋B座2503", "业主反映"),
    ("", "龙湖时代天街2号楼1208", "有人聚众"),
    ("请送到", "和平里七区十六号楼三单元五零二室", ""),
    ("现住", "天津市南开区王顶堤迎水里12-3-502", "。"),
    ("住", "广西壮族自治区南宁市青秀区民族大道115-1号现代国际大厦2206", ""),
    ("住", "台湾省台北市大安区信义路四段1号5楼", ""),
]

SHAPES = [
    "北京市昌平区回龙观镇龙泽苑东区35号楼4单元501",
    "上海市徐汇区漕溪北路45号18楼B座",
    "苏州工业园区星湖街328号创意产业园5栋303",
    "成都市高新区天府大道北段1480号拉德方斯大厦西楼1503",
    "武汉市洪山区珞喻路1037号华中科技大学韵苑学生公寓12栋",
    "辽宁省沈阳市铁西区兴华北街18-2号3-6-1",
    "山西省太原市小店区亲贤北街9号双喜广场1幢1单元17层1705号",
    "福建省泉州市晋江市池店镇霞福村中区89号",
    "江西省赣州市章贡区长征大道1号中航城一期7栋二单元1203房",
    "贵州省毕节市织金县八步街道青山村二组",
    "云南省昆明市官渡区关上街道办事处国贸路85号",
    "内蒙古呼和浩特市赛罕区大学西街23号桃李湖畔小区",
    "海南省三亚市吉阳区迎宾路198号三亚太阳湾花园A栋1201",
    "石家庄市裕华区槐安东路88号卓达花园2区11-2-302",
    "吉林省长春市朝阳区南湖大路2888号阳光西郡15栋2门503",
    "南京市建邺区奥体大街69号新城科技园05栋9层",
    "西安市莲湖区劳动南路西工大西院甲字楼3门12号",
    "兰州市七里河区西津东路575号建工大厦",
    "新疆乌鲁木齐市天山区红旗路80号2号楼1单元302室",
    "宁夏银川市兴庆区湖滨西街42号附1号",
    "广州市越秀区东风东路753号之二1501房",
    "东莞市长安镇乌沙社区江贝村二巷8号",
    "中山市石岐区民生路38号民生商住楼B幢602",
    "杭州市滨江区浦沿街道滨文路与火炬大道交叉口保利天汇5幢2单元1102室",
    "青岛市市南区香港中路18号福泰广场A座2501",
    "天津市和平区南京路189号津汇广场1座26层",
    "重庆市沙坪坝区沙北街83号松林坡学生宿舍3舍412",
    "长沙市岳麓区麓山南路932号湖南大学天马公寓2区5栋210",
    "厦门市湖里区仙岳路4688号国贸中心B栋1单元801",
    "哈尔滨市南岗区学府路74号7委14组",
    "北京市大兴区黄村镇清源路29号院兴华园东里7号楼2单元602",
    "上海市宝山区共和新路5000弄12号1801室",
    "江苏省常州市武进区湖塘镇花园街168号莱蒙城11幢甲单元1003室",
    "浙江省温州市乐清市柳市镇西仁宕村隔河西路15号",
    "安徽省芜湖市镜湖区绿地新都会A区6栋1604",
    "山东省临沂市兰山区银雀山路与新华路交汇处开元上城3号楼1单元2202",
    "河北省保定市莲池区阳光北大街555号未来花郡二期16号楼3单元401室",
    "河南省洛阳市涧西区南昌路58号院4栋1门9号",
    "湖北省宜昌市西陵区东山大道126号华祥商务中心1208室",
    "湖南省衡阳市蒸湘区解放大道30号联合新村6栋3单元502房",
    "广东省惠州市惠城区麦地路28号东平半岛花园7座801",
    "广西桂林市七星区辅星路13号甲天下广场2栋2-9-1",
    "四川省绵阳市涪城区临园路东段78号3栋2单元5楼10号",
    "陕西省咸阳市秦都区人民中路37号院11排6号",
    "甘肃省天水市秦州区精表路28号6幢3单元1101室",
    "青海省西宁市城西区五四西路61号新华联广场1号楼11单元1111室",
    "辽宁省鞍山市铁东区二一九路37栋1单元6层15号",
    "黑龙江省齐齐哈尔市龙沙区卜奎南大街214号紫悦府小区4号楼3单元502",
    "云南省曲靖市麒麟区益宁街道金江社区居民委员会下坡村98号",
    "贵州省遵义市汇川区香港路香港城3单元19-2",
    "江苏省无锡市梁溪区五爱家园88-602",
    "浙江省嘉兴市南湖区余新镇金星村东阳桥16号",
    "福建省福州市仓山区建新镇金祥路33号金辉莱茵城三区8座1205单元",
    "河北省邢台市宁晋县凤凰镇北街村振兴路南六巷5号",
    "山西省运城市盐湖区红旗西街8号2号楼中单元西户",
]

OFFICES = [
    "北京市海淀区中关村南大街5号",
    "地址：北京市西长安街13号 工业和信息化部",
    "中山路895号的市政务服务中心",
    "办公地址：杭州市西湖区文三路12号3幢502室",
    "邮寄地址：北京市海淀区万寿路27号院8号楼1215室质量实验室秘书处",
]

NONE = [
    "长江大桥3号墩、12号楼梯",
    "地铁10号线3号口",
    "会议室在5号楼",
    "每户限购2套，17栋住宅楼已封顶，6单元正在装修",
    "接送学生上下学的7座以上客车",
    "两个以上单位共有一幢建筑物的",
    "常务委员会公告第4号公布",
    "国务院令第3号",
]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(found.kind, text[found.start : found.end]) for found in find(text)]


@pytest.mark.parametrize(("before", "address", "after"), HOMES)
def test_a_home_is_found_from_its_first_place_to_its_room(before: str, address: str, after: str) -> None:
    assert kinds(before + address + after) == [("address", address)]


@pytest.mark.parametrize("frame", ["张某住{}。", "地址：{}，电话13812345678", "家庭住址{}\n", "李四 {} 13812345678"])
def test_addresses_of_all_parts_of_the_country_are_found_whole(frame: str) -> None:
    for address in SHAPES:
        assert ("address", address) in kinds(frame.format(address)), address


@pytest.mark.parametrize("text", OFFICES)
def test_a_street_and_number_is_an_office_unless_somebody_lives_there(text: str) -> None:
    assert [kind for kind, _ in kinds(text)] == ["office-address"]


@pytest.mark.parametrize("text", NONE)
def test_numbered_things_are_no_addresses(text: str) -> None:
    assert kinds(text) == []


def test_a_street_in_a_line_with_a_persons_number_is_where_the_person_lives() -> None:
    assert dict(kinds("北京市海淀区学院路5号，13812345678")) == {"address": "北京市海淀区学院路5号", "mobile": "13812345678"}
    assert dict(kinds("北京市海淀区学院路5号\n13812345678"))["office-address"] == "北京市海淀区学院路5号"


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("住浙江省杭州市余杭区", 1),
        ("海淀区法院判决张三住朝阳区", 10),
        ("余杭区幸福镇南区", 0),
        ("东湖小区", None),
        ("", None),
    ],
)
def test_the_last_chain_of_places_begins_at_its_largest(text: str, begin: int | None) -> None:
    assert last_chain(text) == begin


def test_the_gazetteer_has_every_level() -> None:
    assert len(places()) > 3_000
    assert {"新疆维吾尔自治区", "恩施土家族苗族自治州", "浦东新区", "香港特别行政区"} <= places()
    assert "小区" not in places()
