//! Invented names of people and places, from common surnames and given-name characters.
//! Nobody is meant: every name is drawn, and what stands beside it (`id_number`) belongs to no real register.

use super::random::Random;

const SURNAMES: [&str; 60] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马",
    "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹", "袁", "邓", "许", "傅", "沈", "曾",
    "彭", "吕", "苏", "卢", "蒋", "蔡", "贾", "丁", "魏", "薛", "叶", "阎", "余", "潘", "杜", "戴", "夏", "钟", "汪",
    "田", "任", "姜",
];

const GIVEN: [&str; 72] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "兰", "霞",
    "平", "刚", "桂", "英", "华", "玉", "萍", "红", "鹏", "建", "国", "文", "斌", "辉", "志", "海", "永", "春", "梅",
    "秀", "珍", "云", "凤", "德", "福", "贵", "祥", "荣", "生", "林", "龙", "庆", "学", "忠", "义", "成", "康", "安",
    "民", "东", "宝", "金", "水", "根", "山", "月", "琴", "莲", "喜", "家", "世", "光", "顺",
];

const TOWNSHIP_FIRST: [&str; 24] = [
    "青", "白", "龙", "凤", "石", "金", "银", "双", "清", "太", "永", "长", "安", "新", "大", "东", "南", "西", "北",
    "黄", "红", "云", "玉", "高",
];

const TOWNSHIP_SECOND: [&str; 20] = [
    "溪", "河", "桥", "岭", "山", "泉", "塘", "湖", "坪", "坝", "井", "庙", "沙", "林", "水", "阳", "平", "和", "兴",
    "源",
];

const VILLAGE_SECOND: [&str; 18] = [
    "家湾", "家坪", "家冲", "家庄", "家寨", "家岭", "家沟", "家塘", "家院", "家集", "家店", "家桥", "家堡", "家畈",
    "家垸", "家墩", "家咀", "家河",
];

const COMMUNITY: [&str; 24] = [
    "朝阳", "和平", "光明", "胜利", "人民", "建设", "解放", "文昌", "学府", "滨河", "城南", "城北", "城东", "城西",
    "幸福", "团结", "新华", "东风", "永安", "康乐", "锦绣", "翠竹", "桂花", "梧桐",
];

/// Appends the name of a person: a surname and one or two characters.
pub fn add_person(name: &mut String, random: &mut Random) {
    // The lower of two draws: the first surnames of the list are the commonest.
    let count = SURNAMES.len() as i64;
    let position = random.below(count).min(random.below(count));
    name.push_str(SURNAMES.get(position as usize).copied().unwrap_or_default());
    name.push_str(random.pick(&GIVEN));
    if random.chance(650) {
        name.push_str(random.pick(&GIVEN));
    }
}

pub fn person(random: &mut Random) -> String {
    let mut name = String::new();
    add_person(&mut name, random);
    name
}

pub fn county(random: &mut Random) -> String {
    format!("{}{}县", random.pick(&TOWNSHIP_SECOND), random.pick(&["阳", "州", "城", "安", "宁", "川"]))
}

/// The stem of a township's name, which its branch bears too.
pub fn township_stem(random: &mut Random) -> String {
    format!("{}{}", random.pick(&TOWNSHIP_FIRST), random.pick(&TOWNSHIP_SECOND))
}

pub fn village(random: &mut Random) -> String {
    format!("{}{}村", random.pick(&SURNAMES), random.pick(&VILLAGE_SECOND))
}

pub fn community(random: &mut Random) -> String {
    format!("{}社区", random.pick(&COMMUNITY))
}
